#!/usr/bin/env python
"""Measure the speed of encoders on this machine, relative to matrix products in the same process.

In a checkout, the commands of benchmarks/speed.py, which measures other parts of the project, work here as well.
"""

import argparse
import runpy
import sys
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

import twlv_mm  # isort: skip  before mmaction's models

from twlv_mm.encoders import encoder_in, is_config, read_config
from twlv_mm.encoders.precision import has_bf16_units
from twlv_mm.encoders.speed import encoder_rate, encoder_size
from twlv_mm.system_errors import run_tool

OTHERS = Path(__file__).resolve().parents[1] / 'benchmarks/speed.py'


def measure_encoders(args):
    rows = []
    for name in twlv_mm.list_models() if args.models == ['all'] else args.models:
        source, given = encoder_in(read_config(name), name) if is_config(name) else (name, {})
        given |= {} if args.num_frames is None else dict(num_frames=args.num_frames)
        size = encoder_size(source, **given)
        rows.append(
            [
                name,
                f'{size["frames"]} x {size["pixels"]}',
                f'{size["parameters"] / 1e6:.1f}',
                f'{size["gflop"] / 2:,.{0 if size["gflop"] > 20 else 3}f}',
                f'{size["tokens"]:,}',
            ]
        )
        for precision in args.precision:
            if precision == 'bf16' and not has_bf16_units(args.device):
                print(f'{name} bf16: not measured, {args.device} has no bf16 units')
                continue
            rate = encoder_rate(source, precision, args.batch_size, args.device, args.seconds, args.least, **given)
            rows[-1] += [f'{rate["clips_per_second"]:.3g}', f'{100 * rate["share"]:.0f}']
            print(
                f'{name} {precision}: {rate["gflop"]:.1f} GFLOP per clip, {rate["clips_per_second"]:.3g} clips/s, '
                f'{rate["gflops"]:.0f} GFLOP/s = {100 * rate["share"]:.0f} % of the best matrix product here '
                f'({rate["best_matmul_gflops"]:.0f} GFLOP/s)',
                flush=True,
            )
    columns = ['encoder', 'clip', 'M parameters', 'G multiply-adds', 'tokens']
    for precision in args.precision:
        columns += [f'{precision}, clips/s', '% of matmul']
    print_table(f'Encoders on {args.batch_size} clips, {torch.get_num_threads()} threads', columns, rows)


def print_table(title, columns, rows):
    table = Table(title=title)
    for place, column in enumerate(columns):
        table.add_column(column, justify='right' if place else 'left', no_wrap=not place)
    for row in rows:
        table.add_row(*row)
    console = Console()
    # Numbers must not be cut where the output is not a terminal.
    console.width = max(console.width, 14 * len(columns) + max(len(row[0]) for row in rows))
    console.print(table)


def main():
    if OTHERS.is_file() and sys.argv[1:2] not in ([], ['encoder'], ['-h'], ['--help']):
        runpy.run_path(str(OTHERS), run_name='__main__')
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest='task', required=True)
    encoder = tasks.add_parser('encoder', help='clips and FLOPs per second of encoders')
    encoder.add_argument('models', nargs='+', metavar='SOURCE', help='encoders or their configs, or all')
    encoder.add_argument('--precision', nargs='*', choices=['fp32', 'bf16'], default=['fp32', 'bf16'], help='or none')
    encoder.add_argument('--num-frames', type=int, help="frames per clip (default: the encoder's)")
    encoder.add_argument('--seconds', type=float, default=3.0, help='duration of each measurement (default 3)')
    encoder.add_argument('--least', type=int, default=3, help='minimum number of clips of each measurement (default 3)')
    encoder.add_argument('--batch-size', type=int, default=1)
    encoder.add_argument('--device', default='cpu')
    encoder.set_defaults(measure=measure_encoders)
    args = parser.parse_args()
    args.measure(args)


if __name__ == '__main__':
    run_tool(main)
