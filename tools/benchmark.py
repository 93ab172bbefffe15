#!/usr/bin/env python
"""Measure speed: `encoder` beside the machine's best matrix products, `extract` beside mmaction2's own pipeline."""

import argparse

import numpy as np

import twlv_mm
from twlv_mm.embeddings.benchmark import encoder_rate, reading_rate


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    tasks = parser.add_subparsers(dest='task', required=True)
    encoder = tasks.add_parser('encoder', help='clips and FLOPs a second of encoders')
    encoder.add_argument('models', nargs='+', choices=twlv_mm.list_models(), metavar='MODEL')
    encoder.add_argument('--precision', nargs='+', choices=['fp32', 'bf16'], default=['fp32', 'bf16'])
    encoder.add_argument('--batch-size', type=int, default=1)
    encoder.add_argument('--device', default='cpu')
    extract = tasks.add_parser('extract', help='decoding and resizing the clips of videos')
    extract.add_argument('videos', nargs='+')
    extract.add_argument('--clip-seconds', type=float, default=0.5)
    extract.add_argument('--stride-seconds', type=float, default=0.125)
    args = parser.parse_args()

    if args.task == 'encoder':
        for name in args.models:
            for precision in args.precision:
                rate = encoder_rate(name, precision, args.batch_size, args.device)
                print(
                    f'{name} {precision}: {rate["gflop"]:.1f} GFLOP a clip, {rate["clips_per_second"]:.2f} clips/s, '
                    f'{rate["gflops"]:.0f} GFLOP/s = {100 * rate["share"]:.0f} % of the best matrix product here '
                    f'({rate["best_matmul_gflops"]:.0f} GFLOP/s)'
                )
        return
    ratios = []
    for path in args.videos:
        rate = reading_rate(path, args.clip_seconds, args.stride_seconds)
        ratios.append(rate['ratio'])
        print(
            f'{path}: {rate["clips"]} clips, ours {rate["ours"]:.2f} s, mmaction2 {rate["stock"]:.2f} s: '
            f'{rate["ratio"]:.1f} times as fast'
        )
    print(f'geometric mean: {np.exp(np.mean(np.log(ratios))):.1f} times as fast')


if __name__ == '__main__':
    main()
