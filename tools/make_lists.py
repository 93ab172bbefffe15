#!/usr/bin/env python
"""Lists of your own videos for training and testing: <out>/train.txt, val.txt and classes.txt.

SOURCE is a folder with a folder of videos for each class, or a csv or json of names and labels.
"""

import argparse
import sys

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

from twlv_mm.recognition.datasets import make_lists
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import run_tool

EXIT_CODES = 'Exit code: 0 lists were written, 2 nothing was written. lists.json names what was left out.'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_CODES)
    parser.add_argument('source', metavar='SOURCE', help='the folder, or the table')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument('--videos', metavar='FOLDER', help='of the videos in a table (default: where the table is)')
    parser.add_argument(
        '--split',
        type=float,
        nargs='+',
        metavar='SHARE',
        help='of train; or of train and val, and test is the rest (default: 0.8; a set that is split already stays so)',
    )
    parser.add_argument('--folds', type=int, metavar='K', help='a cross-validation of K folds instead')
    parser.add_argument(
        '--group',
        metavar='COLUMN|REGEX',
        help='what is never on both sides: a column of the table, or a regular expression that finds the name of the '
        "recording or person in a file's path, '_(g[0-9]+)_' say",
    )
    parser.add_argument('--seed', type=int, default=0, help='default %(default)s')
    return parser.parse_args()


def main():
    try:
        told = make_lists(**vars(parse_args()))
    except (FileNotFoundError, ValueError) as error:
        print(printable(f'error: {error}'), file=sys.stderr)
        sys.exit(2)
    print(printable('\n'.join(told)))


if __name__ == '__main__':
    run_tool(main)
