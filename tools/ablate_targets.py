#!/usr/bin/env python
"""Compare pretraining targets on generated clips: accuracy on appearance and on motion.

The small encoder is pretrained with each target and seed and frozen; a linear probe, an attentive probe and kNN are
tested on held-out clips. If interrupted, the same command resumes. Each target and seed takes one CPU core four to six
minutes, its probes one, and the teachers, which `make small` shares, a few in all.
"""

import argparse

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.evaluation import Ablation
from twlv_mm.pretraining.small_encoder import PRETRAINED
from twlv_mm.synthetic import FolderError, make_trimmed
from twlv_mm.system_errors import fail, run_tool


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--targets', nargs='+', choices=PRETRAINED, default=PRETRAINED, help='default: all')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], help='default 0 1 2')
    parser.add_argument('--out', default='work_dirs/ablation', help='default %(default)s')
    parser.add_argument('--data', default='work_dirs/synthetic/trimmed', help='made if missing (default %(default)s)')
    parser.add_argument('--small', default='work_dirs/small', help='folder of the teachers (default %(default)s)')
    args = parser.parse_args()
    try:
        make_trimmed(args.data)
    except FolderError as error:
        fail(error)
    Ablation(args.out, args.data, args.small, args.targets, args.seeds).run()


if __name__ == '__main__':
    run_tool(main)
