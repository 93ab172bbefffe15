#!/usr/bin/env python
"""Make one page, and Markdown, of the results.json files of any number of runs and encoders."""

import argparse
import sys

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

from twlv_mm.analysis.report import write_report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('results', metavar='RESULTS_DIR', help='folder that is searched with its sub-folders')
    parser.add_argument('--out', metavar='DIR', help='where report.html and report.md go (default: the same folder)')
    parser.add_argument('--title', default='Holistic evaluation of video encoders', help='default %(default)s')
    args = parser.parse_args()
    try:
        page, text = write_report(args.results, args.out, args.title)
    except FileNotFoundError as error:
        sys.exit(f'error: {error}')
    print(f'{page}\n{text}')


if __name__ == '__main__':
    main()
