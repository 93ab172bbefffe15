#!/usr/bin/env python
"""Evaluate three small encoders on generated videos and make the report, work_dirs/report/report.html.

One is untrained, one is pretrained by masked modelling (make small PRETRAIN=mixture), and one sees a single frame of
each clip. If interrupted, the same command resumes.
"""

import argparse
import json
import os
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.evaluation import (
    FINISHED,
    BusyError,
    Evaluation,
    StepError,
    find_encoder,
    generated_tasks,
    generated_views,
    run_step,
)
from twlv_mm.records import writing
from twlv_mm.report import write_report
from twlv_mm.synthetic import make_boxes, make_trimmed, make_untrimmed
from twlv_mm.system_errors import fail, run_tool

CONFIGS = Path(__file__).parents[1] / 'configs/synthetic'
DATA, OUT = Path('work_dirs/synthetic'), Path('work_dirs/report')
FRAME_WISE = OUT / 'encoders/frame_wise'
SETS = dict(trimmed=make_trimmed, untrimmed=make_untrimmed, boxes=partial(make_boxes, num_clips=125))
RENDERING = 90  # CPU seconds for all generated videos


class Small(NamedTuple):
    """A small encoder.

    Attributes:
        label (str): Its name in the report.
        source (str): A model or config.
        weights (Path | None): Its weights.
        made_by (tuple): The command of ``twlv`` that makes them, and its arguments.
        left_at (Path | None): The file that the command writes, if not ``weights``.
        seconds (float): CPU seconds of the command.
    """

    label: str
    source: str
    weights: Path | None = None
    made_by: tuple = ()
    left_at: Path | None = None
    seconds: float = 0


ENCODERS = (
    Small('untrained', 'twlv_small_synthetic'),
    Small(
        'pretrained',
        'twlv_small_synthetic',
        Path('work_dirs/small/mixture.pth'),
        ('small', '--pretrain', 'mixture'),
        seconds=700,
    ),
    Small(
        'frame-wise',
        str(CONFIGS / 'both_single_frame.py'),
        FRAME_WISE / 'encoder.pth',
        ('train', CONFIGS / 'both_single_frame.py', '--work-dir', FRAME_WISE, '--seed', '0', '--resume'),
        FRAME_WISE / 'epoch_8.pth',
        65,
    ),
)


def make_weights(small):
    """Train an encoder whose weights are missing."""
    if small.weights is None or small.weights.is_file():
        return
    log = OUT / 'encoders' / f'{small.label}.txt'
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f'  {small.label}: training, see {log}', flush=True)
    try:
        run_step(log, *small.made_by)
    except StepError as error:
        fail(f'{error}; the end of the log:\n{log.read_text()[-2000:]}')
    if small.left_at is not None:
        with small.left_at.open('rb') as file, writing(small.weights) as copy:
            shutil.copyfileobj(file, copy)


def finished_set(folder):
    """The settings of a finished set of generated videos; None if it is missing or unfinished."""
    manifest = folder / 'manifest.json'
    manifest = json.loads(manifest.read_text()) if manifest.is_file() else {}
    return manifest['settings'] if manifest.get('complete') else None


def expected_seconds(jobs):
    """Estimated duration of what is not finished, from CPU seconds measured on AVX2 cores."""
    seconds = 0 if finished_set(DATA / 'boxes') else RENDERING
    tasks = generated_tasks(DATA)
    for small in ENCODERS:
        there = small.weights is None or small.weights.is_file()
        if not there:
            seconds += small.seconds + sum(task.seconds for task in tasks)
            continue
        evaluation = Evaluation(find_encoder(small.source, small.weights, small.label), tasks, OUT)
        evaluation.todo()
        seconds += sum(task.seconds for task in tasks if evaluation.states[task.name][0] != FINISHED)
    return seconds / jobs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='tasks at a time (default: the CPU cores)')
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error(f'--jobs is {args.jobs}; it must be 1 or more')
    began = time.monotonic()
    expected = expected_seconds(args.jobs)
    print(
        f'This takes about {max(expected / 60, 1):.0f} minutes on {args.jobs} cores. If interrupted, it resumes.',
        flush=True,
    )

    print(f'1. Rendering missing videos into {DATA}.', flush=True)
    for name, make in SETS.items():
        if settings := finished_set(DATA / name):
            sizes = (f'{value} {key[4:]}' for key, value in settings.items() if key.startswith('num_'))
            print(f'  {name}: finished before ({", ".join(sizes)})', flush=True)
        else:
            make(DATA / name)
    print('2. Training missing encoders.', flush=True)
    for small in ENCODERS:
        make_weights(small)
    print('3. Evaluating the encoders.', flush=True)
    failed = 0
    for small in ENCODERS:
        encoder = find_encoder(small.source, small.weights, small.label)
        evaluation = Evaluation(encoder, generated_tasks(DATA), OUT, args.jobs, views=generated_views(DATA))
        try:
            states = evaluation.run()
        except BusyError as error:
            fail(error)
        failed += sum(status != FINISHED for status, _ in states.values())
    print('4. Writing the report.', flush=True)
    page, _ = write_report(OUT, title='Three small encoders on generated videos')
    print(f'Done in {time.monotonic() - began:.0f} s{f"; {failed} tasks failed" if failed else ""}.')
    print(f'The report is {page.absolute()}')
    sys.exit(bool(failed))


if __name__ == '__main__':
    run_tool(main)
