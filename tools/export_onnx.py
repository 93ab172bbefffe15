#!/usr/bin/env python
"""Write an encoder, or a trained recognizer, as an ONNX file and check it in ONNX Runtime.

The input is pixels, (N, 3, T, H, W) RGB from 0 to 255; the output is the encoder's vector if MODEL is a name, or the
class scores before softmax if MODEL is a config of recognition on feature maps, such as configs/squeezetime/*.
"""

import argparse
import sys

import twlv_mm  # isort: skip  before mmaction's models

from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import load_checkpoint

from twlv_mm.encoders import is_config, read_config
from twlv_mm.encoders.onnx_export import export_onnx
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import run_tool


def parts_of(model, weights):
    """The encoder of a name, or encoder and head of a config."""
    if not is_config(model):
        return twlv_mm.get_model(model, weights), None
    cfg = read_config(model)
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    recognizer = MODELS.build(cfg.model)
    if weights is not None:
        load_checkpoint(recognizer, weights, map_location='cpu', strict=True)
    return recognizer.backbone, recognizer.cls_head


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model', metavar='MODEL', help='a name from list_models(), or a config')
    parser.add_argument('out', metavar='OUT', help='the file to write, .onnx')
    parser.add_argument('--weights', help='checkpoint of the encoder, or of the whole recognizer with a config')
    parser.add_argument('--size', type=int, nargs=2, metavar=('HEIGHT', 'WIDTH'), help="default: the encoder's own")
    args = parser.parse_args()
    if args.weights is None:
        print('no --weights: the exported weights are random', file=sys.stderr)
    try:
        encoder, head = parts_of(args.model, args.weights)
        difference = export_onnx(encoder, args.out, head, args.size)
    except (ValueError, FileNotFoundError, ImportError) as error:
        print(printable(f'error: {error}'), file=sys.stderr)
        sys.exit(2)
    print(f'{args.out}: ONNX Runtime differs from PyTorch by {difference:.1e} of the largest output')


if __name__ == '__main__':
    run_tool(main)
