#!/usr/bin/env python
"""Draw what models have found.

`segmentation`: the labels of each video's frames as coloured bars, the ground truth above those of one or more runs.
"""

import argparse
import sys

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

from twlv_mm.segmentation import compare_runs


def draw_segmentation(args):
    runs = dict(args.runs)
    if len(runs) < len(args.runs):
        raise ValueError('two runs have the same name: give each its own, NAME=predictions.json')
    comparison = compare_runs(runs, args.out, args.videos, args.video_root)
    print(f'{len(comparison.drawn)} videos drawn, in {args.out}')
    for video_id, names in comparison.lacking.items():
        print(f'  not drawn: {video_id}, which {", ".join(names)} lacks')
    for video_id, reason in comparison.frameless:
        print(f'  without frames: {video_id}: {reason}')


def named_path(text):
    name, equals, path = text.partition('=')
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=predictions.json')
    return name, path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    pictures = parser.add_subparsers(dest='picture', required=True)
    segmentation = pictures.add_parser('segmentation', help='labels of frames, of several runs one above the other')
    segmentation.add_argument(
        '--runs',
        nargs='+',
        type=named_path,
        required=True,
        metavar='NAME=FILE',
        help="name to show of a run, and the predictions.json that its test wrote into its log's folder",
    )
    segmentation.add_argument('--out', required=True, help='folder to draw to')
    segmentation.add_argument('--videos', nargs='+', metavar='ID', help='videos to draw (default: all)')
    segmentation.add_argument(
        '--video-root', metavar='FOLDER', help='the video files: some of their frames stand above the bars'
    )
    segmentation.set_defaults(draw=draw_segmentation)
    args = parser.parse_args()
    try:
        args.draw(args)
    except (ValueError, FileNotFoundError) as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)


if __name__ == '__main__':
    main()
