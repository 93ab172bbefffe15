#!/usr/bin/env python
"""Which reconstruction target brings appearance, which brings motion, and what a mixture brings: on generated clips.

The small encoder is pretrained with each target and seed, and frozen; a linear probe, an attentive probe and kNN say
what it knows of held-out clips. The same command again goes on where it was stopped. Four to six minutes of a CPU core
for each target and seed, one for its probes, and a few once for the teachers, some of which `make small` uses as well.
"""

import argparse

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

from twlv_mm.evaluation.ablation import Ablation
from twlv_mm.pretraining.small_encoder import PRETRAINED
from twlv_mm.synthetic import FolderError, make_trimmed
from twlv_mm.system_errors import fail, run_tool


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--targets', nargs='+', choices=PRETRAINED, default=PRETRAINED, help='default: all')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], help='default 0 1 2')
    parser.add_argument('--out', default='work_dirs/ablation', help='default %(default)s')
    parser.add_argument('--data', default='work_dirs/synthetic/trimmed', help='made if missing (default %(default)s)')
    parser.add_argument('--small', default='work_dirs/small', help='of the teachers (default %(default)s)')
    args = parser.parse_args()
    try:
        make_trimmed(args.data)
    except FolderError as error:
        fail(error)
    Ablation(args.out, args.data, args.small, args.targets, args.seeds).run()


if __name__ == '__main__':
    run_tool(main)
