#!/usr/bin/env python
"""Rewrite an encoder's official weights (V-JEPA, V-JEPA 2, UMT, VideoMAE, InternVideo2, CLIP, DFN) in this project's
layout. --check only reports what the file holds; with --encoder SOURCE, whether it fits that encoder. Official files
also work unconverted, as encoder_weights.
"""

import argparse
import sys

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.encoders import FAMILIES, convert_checkpoint, encoder_in, get_model, is_config, read_config
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import run_tool


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'source', metavar='SRC', help='.pth, .pt, .bin or .safetensors, or a folder of the Hugging Face hub'
    )
    parser.add_argument('target', metavar='DST', nargs='?', help='file to write')
    parser.add_argument('--family', choices=list(FAMILIES), help='model family, if the keys are ambiguous')
    parser.add_argument(
        '--pretraining-sets',
        nargs='+',
        metavar='NAME',
        help='datasets that the weights were trained on, named as in results.json (default: those named in the file, '
        'or those of the official weights)',
    )
    parser.add_argument('--check', action='store_true', help='write nothing; print how the keys would be mapped')
    parser.add_argument('--encoder', metavar='SOURCE', help='with --check: any SOURCE, or a config, to load it into')
    args = parser.parse_args(argv)
    if args.target is None and not args.check:
        parser.error('give DST, or --check')
    if args.encoder is not None and not args.check:
        parser.error('--encoder needs --check: only official weights are rewritten')
    try:
        if args.encoder is not None:
            source, overrides = (
                encoder_in(read_config(args.encoder), args.encoder) if is_config(args.encoder) else (args.encoder, {})
            )
            model = get_model(source, args.source, **overrides)
            count = len(model.state_dict())
            found = f'{args.source} holds the weights of {model.spec.name}'
            print(printable(f'{found}: {count} tensors, none missing, none unexpected'))
            return
        report = convert_checkpoint(
            args.source, None if args.check else args.target, args.family, args.pretraining_sets
        )
    except (ValueError, FileNotFoundError) as error:
        parser.exit(2, f'error: {error}\n')
    print(printable(report))
    if not args.check:
        print(f'Written to {args.target}', file=sys.stderr)


if __name__ == '__main__':
    run_tool(main)
