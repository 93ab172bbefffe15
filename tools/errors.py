#!/usr/bin/env python
"""Show the errors of a test run as a page: confused classes with frames, most confident errors, worst videos."""

import argparse
import sys

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.records.checks import printable
from twlv_mm.report import write_errors
from twlv_mm.system_errors import fail, run_tool

MAX_MESSAGES = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('run', metavar='RUN', help='results.json of a test run, or a folder: its newest run')
    parser.add_argument('--videos', metavar='FOLDER', help='the video files, to show frames of them')
    parser.add_argument('--out', metavar='PAGE', help='default: errors.html beside results.json')
    parser.add_argument(
        '--min-score',
        type=float,
        help='localization and detection: lowest score of a prediction that counts (default: where F1 is highest)',
    )
    args = parser.parse_args()
    try:
        page, errors, messages = write_errors(args.run, args.videos, args.out, args.min_score)
    except (ValueError, FileNotFoundError) as error:
        fail(error)
    print(' '.join(errors.notes))
    for line in messages[:MAX_MESSAGES]:
        print(printable(f'  {line}'), file=sys.stderr)
    if len(messages) > MAX_MESSAGES:
        print(f'  and {len(messages) - MAX_MESSAGES} more, listed on the page', file=sys.stderr)
    print(page)


if __name__ == '__main__':
    run_tool(main)
