#!/usr/bin/env python
"""Make a report, as an HTML page and as Markdown, of the results.json files of any number of runs and encoders."""

import argparse
import sys

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.report import TITLE, View, find_runs, write_report
from twlv_mm.system_errors import fail, run_tool


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('results', metavar='RESULTS_DIR', help='folder to search, with its sub-folders')
    parser.add_argument('--out', metavar='DIR', help='folder of report.html and report.md (default: RESULTS_DIR)')
    parser.add_argument('--title', default=TITLE, help='default %(default)s')
    parser.add_argument(
        '--embeddings',
        nargs='+',
        default=[],
        metavar='NAME=FOLDER',
        help='embeddings to draw besides those of `twlv evaluate`: name of the encoder and <out>/<sampling>/<split>; '
        'the classes come from their annotations',
    )
    args = parser.parse_args()
    views = []
    for text in args.embeddings:
        name, equals, folder = text.partition('=')
        if not (name and equals and folder):
            parser.error(f'--embeddings {text!r} is not NAME=FOLDER')
        if name in {view.encoder for view in views}:
            parser.error(f'--embeddings has {name!r} twice: give each another name')
        views.append(View(name, 'Embeddings', folder))
    try:
        found = find_runs(args.results)
        page, text = write_report(args.results, args.out, args.title, views)
    except FileNotFoundError as error:
        fail(error)
    print(f'{page}\n{text}')
    if not found.runs:
        print(
            f'There is no results.json of a run below {args.results} (links to folders are not followed): '
            "the tables have the paper's numbers only.",
            file=sys.stderr,
        )


if __name__ == '__main__':
    run_tool(main)
