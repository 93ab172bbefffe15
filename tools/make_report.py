#!/usr/bin/env python
"""Evaluate three small encoders on generated videos, and make the report: work_dirs/report/report.html.

Untrained; pretrained by masked modelling on a mixture of targets (make small PRETRAIN=mixture); and without time, which
sees one frame of a clip. Killed, the same command goes on.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

from twlv_mm.evaluation.encoder import find_encoder
from twlv_mm.evaluation.evaluation import FINISHED, BusyError, Evaluation
from twlv_mm.evaluation.tasks import generated_tasks, generated_views
from twlv_mm.records import open_log, writing
from twlv_mm.report import write_report
from twlv_mm.synthetic import make_boxes, make_trimmed, make_untrimmed
from twlv_mm.system_errors import fail, run_tool

TOOLS = Path(__file__).parent
CONFIGS = TOOLS.parent / 'configs/synthetic'
DATA, OUT = Path('work_dirs/synthetic'), Path('work_dirs/report')
FRAME_WISE = OUT / 'encoders/frame_wise'
SETS = dict(trimmed=make_trimmed, untrimmed=make_untrimmed, boxes=partial(make_boxes, num_clips=125))
RENDERING = 90  # seconds of a core for all generated videos


class Small(NamedTuple):
    """A small encoder.

    Attributes:
        label (str): What it is called.
        source (str): A model or config.
        weights (Path | None): Its weights.
        made_by (tuple): The tool that makes them, and its arguments.
        left_at (Path | None): Where that leaves them, if not there.
        seconds (float): What that takes a core.
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
        ('make_small.py', '--pretrain', 'mixture'),
        seconds=700,
    ),
    Small(
        'frame-wise',
        str(CONFIGS / 'both_single_frame.py'),
        FRAME_WISE / 'encoder.pth',
        ('train.py', CONFIGS / 'both_single_frame.py', '--work-dir', FRAME_WISE, '--seed', '0', '--resume'),
        FRAME_WISE / 'epoch_8.pth',
        65,
    ),
)


def make_weights(small):
    """Train an encoder whose weights are not there."""
    if small.weights is None or small.weights.is_file():
        return
    command = [sys.executable, str(TOOLS / small.made_by[0]), *map(str, small.made_by[1:])]
    log = OUT / 'encoders' / f'{small.label}.txt'
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f'  {small.label}: training it, see {log}\n   $ python {shlex.join(command[1:])}', flush=True)
    with open_log(log) as file:
        code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT).returncode
    if code:
        print(f'error: that failed; the end of {log}:\n{log.read_text()[-2000:]}', file=sys.stderr)
        sys.exit(code)
    if small.left_at is not None:
        with small.left_at.open('rb') as file, writing(small.weights) as copy:
            shutil.copyfileobj(file, copy)


def finished_set(folder):
    """The settings of a set of generated videos, of any size; None if it is not there or not finished."""
    manifest = folder / 'manifest.json'
    manifest = json.loads(manifest.read_text()) if manifest.is_file() else {}
    return manifest['settings'] if manifest.get('complete') else None


def expected_seconds(jobs):
    """How long all that is not finished will take this machine's cores, as far as two AVX2 cores tell."""
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
        parser.error(f'--jobs is {args.jobs}; it has to be 1 or more')
    began = time.monotonic()
    expected = expected_seconds(args.jobs)
    print(
        f'About {max(expected / 60, 1):.0f} minutes are to come, on {args.jobs} cores. Stopped, it goes on.', flush=True
    )

    print(f'1. Rendering videos into {DATA}, where they are missing.', flush=True)
    for name, make in SETS.items():
        if settings := finished_set(DATA / name):
            sizes = (f'{value} {key[4:]}' for key, value in settings.items() if key.startswith('num_'))
            print(f'  {name}: as they are ({", ".join(sizes)})', flush=True)
        else:
            make(DATA / name)
    print('2. Encoders.', flush=True)
    for small in ENCODERS:
        make_weights(small)
    print('3. Evaluating them.', flush=True)
    failed = 0
    for small in ENCODERS:
        encoder = find_encoder(small.source, small.weights, small.label)
        evaluation = Evaluation(encoder, generated_tasks(DATA), OUT, args.jobs, views=generated_views(DATA))
        try:
            states = evaluation.run()
        except BusyError as error:
            fail(error)
        failed += sum(status != FINISHED for status, _ in states.values())
    print('4. Making the report.', flush=True)
    page, _ = write_report(OUT, title='Three small encoders on generated videos')
    print(f'Done in {time.monotonic() - began:.0f} s{f", with {failed} tasks that failed" if failed else ""}.')
    print(f'The report is {page.absolute()}')
    sys.exit(bool(failed))


if __name__ == '__main__':
    run_tool(main)
