#!/usr/bin/env python
"""Evaluate an encoder on every task whose data are there, and make a report. If interrupted, the same command resumes.

The paper's datasets are read from the paths in their configs (docs/datasets.md); --own adds datasets of your own,
listed in a YAML file (docs/own_data.md); --synthetic uses generated videos, which `twlv synthetic` renders, instead of
the paper's datasets. Embeddings are extracted once per dataset.
"""

import argparse
import fnmatch
import sys

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from mmengine.logging import MMLogger

from twlv_mm.engine.quiet_log import quieten
from twlv_mm.evaluation import (
    FINISHED,
    NO_DATA,
    BusyError,
    Evaluation,
    find_encoder,
    generated_tasks,
    generated_views,
    own_tasks,
    paper_tasks,
    paper_views,
)
from twlv_mm.report import write_report
from twlv_mm.system_errors import fail, run_tool


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('encoder', metavar='ENCODER', help='a name from list_models(), another SOURCE, or a config')
    parser.add_argument('weights', metavar='WEIGHTS', nargs='?', help="the encoder's checkpoint (default: random)")
    parser.add_argument('--label', help="the encoder's name in reports (default: the model's name)")
    parser.add_argument('--out', default='work_dirs/evaluation', help='default %(default)s')
    parser.add_argument('--tasks', nargs='+', metavar='PATTERN', help="only these, such as 'k400_*'; see --list")
    parser.add_argument('--list', action='store_true', help='list the tasks and their status, and run nothing')
    parser.add_argument(
        '--synthetic',
        nargs='?',
        const='work_dirs/synthetic',
        metavar='DIR',
        help="generated videos instead of the paper's datasets (default folder: %(const)s)",
    )
    parser.add_argument('--own', metavar='FILE', help='a YAML file of your own datasets, which run first')
    parser.add_argument('--jobs', type=int, default=1, help='tasks at a time; if several, one thread each (default 1)')
    parser.add_argument('--amp', action='store_true', help='train and test in bf16')
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error(f'--jobs is {args.jobs}; it must be 1 or more')
    return args


def main():
    args = parse_args()
    quieten(MMLogger.get_current_instance())  # the configs of all tasks are read
    try:
        encoder = find_encoder(args.encoder, args.weights, args.label)
    except (ValueError, TypeError, FileNotFoundError) as error:
        fail(error)
    tasks = generated_tasks(args.synthetic) if args.synthetic else paper_tasks()
    views = generated_views(args.synthetic) if args.synthetic else paper_views()
    if args.own:
        try:
            own, their_views = own_tasks(args.own)
        except (ValueError, FileNotFoundError) as error:
            fail(error)
        taken = {task.name for task in tasks}.intersection(task.name for task in own)
        if taken:
            fail(f'{args.own}: another dataset has a task named {min(taken)}: rename the dataset')
        tasks, views = [*own, *tasks], [*their_views, *views]
    patterns = args.tasks or ['*']
    unknown = [pattern for pattern in patterns if not fnmatch.filter([task.name for task in tasks], pattern)]
    if unknown:
        fail(f'no task matches {" or ".join(unknown)}: --list lists the tasks')
    tasks = [task for task in tasks if any(fnmatch.fnmatch(task.name, pattern) for pattern in patterns)]
    options = ['--amp'] if args.amp else []
    evaluation = Evaluation(encoder, tasks, args.out, args.jobs, options, views)
    try:
        evaluation.todo()
    except ValueError as error:
        fail(error)
    for name, (status, reason) in evaluation.states.items():
        print(f'  {name}: {status}{": " + reason if reason else ""}')
    if args.list:
        return
    try:
        states = evaluation.run()
    except BusyError as error:
        fail(error)
    except KeyboardInterrupt as error:
        error.advice = 'The same command resumes the evaluation'
        raise
    page, _ = write_report(args.out)
    print(f'The report is {page}')
    if any(status not in (FINISHED, NO_DATA) for status, _ in states.values()):
        sys.exit(1)


if __name__ == '__main__':
    run_tool(main)
