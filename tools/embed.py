#!/usr/bin/env python
"""Embed a few videos: one line of JSON per vector, with path, scope ('clip' or 'video'), start and end in seconds.

For collections, use tools/extract.py, which writes files, works in parallel and can be resumed.
"""

import argparse
import json
import sys

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.embeddings import Extractor
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import run_tool
from twlv_mm.video import VideoError

EXIT_CODES = 'Exit code: 0 success, 1 some videos failed, 2 nothing was done.'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_CODES)
    parser.add_argument('videos', metavar='VIDEO', nargs='+', help='a video file')
    parser.add_argument('--model', help="the encoder (default: the package's small one, to try things out)")
    parser.add_argument('--weights', help="the encoder's checkpoint; without one, the encoder is random")
    parser.add_argument(
        '--sampling', choices=['uniform', 'multi-clip'], default='multi-clip', help='default %(default)s'
    )
    parser.add_argument('--clip-seconds', type=float, help='T: length of a clip (default 2)')
    parser.add_argument('--stride-seconds', type=float, help="T_s: from one clip's start to the next (default: T)")
    return parser.parse_args()


def main():
    args = parse_args()
    try:
        extractor = Extractor(
            args.model,
            args.weights,
            sampling=args.sampling,
            clip_seconds=args.clip_seconds,
            stride_seconds=args.stride_seconds,
        )
    except (ValueError, FileNotFoundError) as error:
        print(printable(f'error: {error}'), file=sys.stderr)
        sys.exit(2)
    failed = 0
    for path in args.videos:
        try:
            embeddings, _ = extractor(path)
        except (VideoError, FileNotFoundError) as error:
            print(printable(f'error: {error}'), file=sys.stderr)
            failed += 1
            continue
        for start, end, scope, vector in embeddings:
            print(json.dumps(dict(path=path, scope=scope, start=start, end=end, vector=vector.tolist())), flush=True)
    sys.exit((2 if failed == len(args.videos) else 1) if failed else 0)


if __name__ == '__main__':
    run_tool(main)
