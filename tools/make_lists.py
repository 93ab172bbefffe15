#!/usr/bin/env python
"""Lists of your own videos for training and testing: <out>/train.txt, val.txt and classes.txt.

SOURCE is a folder with one folder of videos per class, or a csv or json of files and labels.
"""

import argparse

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.recognition.datasets import make_lists
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import fail, run_tool

EXIT_CODES = 'Exit code: 0 lists were written, 2 nothing was written. lists.json records what was left out.'


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXIT_CODES)
    parser.add_argument('source', metavar='SOURCE', help='the folder, or the table')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument('--videos', metavar='FOLDER', help="folder of a table's videos (default: the table's folder)")
    parser.add_argument(
        '--split',
        type=float,
        nargs='+',
        metavar='SHARE',
        help='share of train; or of train and val, with the rest as test (default: 0.8; an existing split is kept)',
    )
    parser.add_argument('--folds', type=int, metavar='K', help='K folds of a cross-validation instead')
    parser.add_argument(
        '--group',
        metavar='COLUMN|REGEX',
        help='keep groups on one side: a column of the table, or a regular expression for the recording or person in '
        "a file's path, such as '_(g[0-9]+)_'",
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of the split (default %(default)s)')
    return parser.parse_args()


def main():
    try:
        summary = make_lists(**vars(parse_args()))
    except (FileNotFoundError, ValueError) as error:
        fail(error)
    print(printable('\n'.join(summary)))


if __name__ == '__main__':
    run_tool(main)
