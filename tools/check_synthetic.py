#!/usr/bin/env python
"""Check the generated trimmed set for shortcuts: accuracies of baselines and of a trained encoder, over seeds.

The exit code is 1 if a mean is outside its limits. Each seed takes about five minutes on two CPU cores.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from twlv_mm.evaluation import LIMITS, check
from twlv_mm.system_errors import run_tool

CONFIGS = Path(__file__).parents[1] / 'configs/synthetic'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], help='of sets and runs (default 0 1 2)')
    parser.add_argument('--work-dir', default='work_dirs/synthetic_checks', help='default %(default)s')
    args = parser.parse_args()
    scores = [check(args.work_dir, CONFIGS, seed) for seed in args.seeds]

    table = Table('%, unless stated', 'chance', 'required', *(f'seed {seed}' for seed in args.seeds), 'mean', 'std', '')
    failed = False
    for name, (chance, lowest, highest) in LIMITS.items():
        values = [score[name] for score in scores]
        mean = np.mean(values)
        holds = (lowest is None or mean >= lowest) and (highest is None or mean <= highest)
        failed |= not holds
        wanted = ' '.join(f'{sign} {limit}' for sign, limit in (('>=', lowest), ('<=', highest)) if limit is not None)
        numbers = [f'{value:.1f}' for value in (*values, mean, np.std(values))]
        table.add_row(name, f'{chance or ""}', wanted, *numbers, 'passes' if holds else 'FAILS')
    Console(width=140).print(table)
    sys.exit(failed)


if __name__ == '__main__':
    run_tool(main)
