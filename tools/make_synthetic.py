#!/usr/bin/env python
"""Render generated videos with ground truth. The same seed gives the same bytes with any number of workers."""

import argparse
from pathlib import Path

from twlv_mm.synthetic import FolderError, make_boxes, make_images, make_trimmed, make_untrimmed
from twlv_mm.system_errors import fail, run_tool

SETS = ('trimmed', 'untrimmed', 'boxes', 'images')


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('set', choices=[*SETS, 'all'], help='which set')
    parser.add_argument('--out', default='work_dirs/synthetic', help='parent of its folder (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='default 0')
    parser.add_argument('--num-train', type=int, default=3000, help='trimmed and images: training items (default 3000)')
    parser.add_argument('--num-test', type=int, default=600, help='trimmed and images: test items (default 600)')
    parser.add_argument('--num-untrimmed', type=int, default=20, help='untrimmed: videos (default 20)')
    parser.add_argument('--num-boxes', type=int, default=50, help='boxes: clips (default 50)')
    parser.add_argument('--workers', type=int, help='processes (default: as many as CPU cores)')
    return parser.parse_args()


def main():
    args = parse_args()
    common = dict(seed=args.seed, workers=args.workers)
    by_split = dict(num_train=args.num_train, num_test=args.num_test)
    makers = dict(
        trimmed=lambda folder: make_trimmed(folder, **by_split, **common),
        untrimmed=lambda folder: make_untrimmed(folder, num_videos=args.num_untrimmed, **common),
        boxes=lambda folder: make_boxes(folder, num_clips=args.num_boxes, **common),
        images=lambda folder: make_images(folder, **by_split, **common),
    )
    for name in SETS if args.set == 'all' else [args.set]:
        folder = Path(args.out) / name
        try:
            written = makers[name](folder)
        except (FolderError, ValueError) as error:
            fail(error)
        print(f'{folder}: {"written" if written else "finished before, unchanged"}')


if __name__ == '__main__':
    run_tool(main)
