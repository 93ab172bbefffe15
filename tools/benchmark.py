#!/usr/bin/env python
"""Measure speed: `encoder` beside the machine's best matrix products, `extract` beside mmaction2's own pipeline."""

import argparse

import numpy as np

import twlv_mm
from twlv_mm.embeddings import Extractor
from twlv_mm.embeddings.encoder_benchmark import encoder_rate
from twlv_mm.embeddings.extractor import emulates_bf16
from twlv_mm.embeddings.reading_benchmark import peak_memory, reading_rate


def measure_encoders(args):
    for name in args.models:
        for precision in args.precision:
            if precision == 'bf16' and emulates_bf16(args.device):
                print(f'{name} bf16: not measured, this CPU emulates it')
                continue
            rate = encoder_rate(name, precision, args.batch_size, args.device)
            print(
                f'{name} {precision}: {rate["gflop"]:.1f} GFLOP a clip, {rate["clips_per_second"]:.2f} clips/s, '
                f'{rate["gflops"]:.0f} GFLOP/s = {100 * rate["share"]:.0f} % of the best matrix product here '
                f'({rate["best_matmul_gflops"]:.0f} GFLOP/s)'
            )


def measure_reading(args):
    extractor = Extractor(
        args.model,
        sampling='multi-clip',
        clip_seconds=args.clip_seconds,
        stride_seconds=args.stride_seconds,
        num_frames=args.num_frames,
    )
    sampling, ratios = extractor.sampling, []
    for path in args.videos:
        rate = reading_rate(path, sampling, extractor)
        memory = {way: peak_memory(way, path, sampling) / 2**20 for way in ('ours', 'stock')}
        ratios.append(rate['ratio'])
        print(
            f'{path}: {rate["clips"]} clips of {sampling.num_frames} frames\n'
            f'  ours      {rate["ours"]:7.2f} s  {rate["frames"] / rate["ours"]:7.0f} frames/s  '
            f'{memory["ours"]:6.0f} MiB  '
            f'(decode {rate["decode"]:.2f} s, resize {rate["resize"]:.2f} s; encode {rate["encode"]:.1f} s)\n'
            f'  mmaction2 {rate["stock"]:7.2f} s  {rate["frames"] / rate["stock"]:7.0f} frames/s  '
            f'{memory["stock"]:6.0f} MiB\n'
            f'  {rate["ratio"]:.1f} times as fast'
        )
    print(f'geometric mean: {np.exp(np.mean(np.log(ratios))):.1f} times as fast')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    tasks = parser.add_subparsers(dest='task', required=True)
    encoder = tasks.add_parser('encoder', help='clips and FLOPs a second of encoders')
    encoder.add_argument('models', nargs='+', choices=twlv_mm.list_models(), metavar='MODEL')
    encoder.add_argument('--precision', nargs='+', choices=['fp32', 'bf16'], default=['fp32', 'bf16'])
    encoder.add_argument('--batch-size', type=int, default=1)
    encoder.add_argument('--device', default='cpu')
    encoder.set_defaults(measure=measure_encoders)
    extract = tasks.add_parser('extract', help='decoding, resizing and encoding the clips of videos')
    extract.add_argument('videos', nargs='+')
    extract.add_argument('--model', choices=twlv_mm.list_models(), default='twlv_base', help='default twlv_base')
    extract.add_argument('--clip-seconds', type=float, default=0.5)
    extract.add_argument('--stride-seconds', type=float, default=0.125)
    extract.add_argument('--num-frames', type=int, default=16)
    extract.set_defaults(measure=measure_reading)
    args = parser.parse_args()
    args.measure(args)


if __name__ == '__main__':
    main()
