#!/usr/bin/env python
"""Measure the speed of parts of the project against an alternative with the same result, on this machine.

`extract`: reading clips, against mmaction2's pipeline. `offline`: kNN and the linear probe on stored embeddings,
against a script that reads one file at a time. `localization`: ActionFormer's local attention, against masked full
attention. `segmentation`: ASFormer's sliding window, against full attention. `detection`: queries factorised in time
and space, against full attention. `sweep`: 20 probes trained together, against one. `squeezetime`: SqueezeTime fused
for inference, against the plain model. `pretraining`: encoding visible patches only, against encoding all. For
encoders, use `twlv benchmark encoder`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

import twlv_mm  # isort: skip  before mmaction's models

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.actionformer_steps import benchmark_local_attention
from benchmarks.asformer_steps import benchmark_windows
from benchmarks.decoder_steps import benchmark_decoders
from benchmarks.offline_probes import benchmark_offline
from benchmarks.pretraining_steps import benchmark_masks
from benchmarks.probe_sweep import benchmark_sweep
from benchmarks.reading import peak_memory, reading_rate
from benchmarks.squeezetime import PLAIN, benchmark_squeezetime
from tools.benchmark import print_table
from twlv_mm.embeddings import Extractor
from twlv_mm.system_errors import run_tool

KNN_RUNS = {'first': 'first', 'a later': 'again'}


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


def measure_offline(args):
    sizes = {name: getattr(args, name) for name in ('videos', 'queries', 'clips', 'dims', 'classes', 'epochs')}
    sizes['num_classes'] = sizes.pop('classes')
    knn, linear = benchmark_offline(**sizes)
    rows = {f'kNN, {name} process': (knn[way]['seconds'], knn['plain']['seconds']) for name, way in KNN_RUNS.items()}
    for part in ('start_up', 'reading', 'products', 'selection'):
        rows[f'  {part.replace("_", "-")}, in a later process'] = (knn['again'][part], knn['plain'][part])
    rows['  reading, in the first process'] = (knn['first']['reading'], knn['plain']['reading'])
    rows[f'linear probe, {args.epochs} epochs'] = (linear['ours'], linear['plain'])
    title = f'{args.videos} + {args.queries} videos of {args.clips} clips x {args.dims}'
    print_table(
        title,
        ('', 'ours, s', 'file by file, s', 'times as fast'),
        [(name, f'{ours:.2f}', f'{plain:.2f}', f'{plain / ours:.1f}') for name, (ours, plain) in rows.items()],
    )


def measure_localization(args):
    rates = benchmark_local_attention(args.length, args.batch_size)
    print_steps(f"A training step of ActionFormer's, {args.batch_size} videos of {args.length} steps", rates)


def measure_segmentation(args):
    rates = benchmark_windows(args.length)
    print_steps(f"A training step of ASFormer's, a video of {args.length} steps", rates)


def measure_detection(args):
    rates = benchmark_decoders(args.batch_size)
    print_steps(f'A training step of the decoder of space-time queries, {args.batch_size} clips', rates)


def measure_pretraining(args):
    rates = benchmark_masks(args.arch, args.clips, args.ratios, args.iterations)
    print_steps(f'A step of masked pretraining of {args.arch}, {args.clips} clips', rates)


def print_steps(title, rates):
    first = next(iter(rates))
    print_table(
        title,
        ('way', 'seconds', 'of processor', 'GiB beyond the model', f'times the seconds of {first}'),
        [
            (
                name,
                *(f'{rate[key]:.2f}' for key in ('seconds', 'cpu_seconds')),
                f'{rate["peak_bytes"] / 2**30:.2f}',
                f'{rate["seconds"] / rates[first]["seconds"]:.1f}',
            )
            for name, rate in rates.items()
        ],
    )


def measure_sweep(args):
    rates = benchmark_sweep(args.arch, args.videos, args.iterations)
    print_table(
        f'A training iteration of {args.videos} videos, one clip each, on a frozen {args.arch}',
        ('probes', 'seconds', 'times those of one probe'),
        [(str(count), f'{seconds:.2f}', f'{seconds / rates[1]:.2f}') for count, seconds in rates.items()],
    )


def measure_squeezetime(args):
    rates = benchmark_squeezetime(args.batch_size, args.turns)
    print_table(
        f'SqueezeTime on {args.batch_size} clips of 16 x 224, {torch.get_num_threads()} threads',
        ('way', 'ms', f'times as fast as {PLAIN}', 'largest difference from it'),
        [
            (
                way,
                f'{1e3 * rate["seconds"]:.1f}',
                f'{rates[PLAIN]["seconds"] / rate["seconds"]:.2f}',
                f'{rate["difference"]:.1e}',
            )
            for way, rate in rates.items()
        ],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest='task', required=True)
    extract = tasks.add_parser('extract', help='decoding, resizing and encoding the clips of videos')
    extract.add_argument('videos', nargs='+')
    extract.add_argument('--model', metavar='SOURCE', default='twlv_base', help='default twlv_base')
    extract.add_argument('--clip-seconds', type=float, default=0.5)
    extract.add_argument('--stride-seconds', type=float, default=0.125)
    extract.add_argument('--num-frames', type=int, default=16)
    extract.set_defaults(measure=measure_reading)
    offline = tasks.add_parser('offline', help='kNN and the linear probe on stored embeddings')
    for name, value in dict(videos=12000, queries=1500, clips=5, dims=1024, classes=400, epochs=150).items():
        offline.add_argument(f'--{name}', type=int, default=value, help=f'default {value}')
    offline.set_defaults(measure=measure_offline)
    localization = tasks.add_parser('localization', help='training steps of ActionFormer')
    localization.add_argument('--length', type=int, default=2304, help='steps of a video (default 2304)')
    localization.add_argument('--batch-size', type=int, default=2, help='videos (default 2)')
    localization.set_defaults(measure=measure_localization)
    segmentation = tasks.add_parser('segmentation', help='training steps of ASFormer')
    segmentation.add_argument('--length', type=int, default=10000, help='steps of the video (default 10000)')
    segmentation.set_defaults(measure=measure_segmentation)
    detection = tasks.add_parser('detection', help='training steps of the decoder of space-time queries')
    detection.add_argument('--batch-size', type=int, default=2, help='clips (default 2)')
    detection.set_defaults(measure=measure_detection)
    pretraining = tasks.add_parser('pretraining', help='steps of masked pretraining')
    pretraining.add_argument('--arch', choices=twlv_mm.list_models(), default='twlv_base', help='default twlv_base')
    pretraining.add_argument('--clips', type=int, default=1, help='per batch (default 1)')
    pretraining.add_argument('--ratios', type=float, nargs='+', default=[0.75, 0.9], help='masked (default 0.75 0.9)')
    pretraining.add_argument('--iterations', type=int, default=2, help='after one warm-up iteration (default 2)')
    pretraining.set_defaults(measure=measure_pretraining)
    sweep = tasks.add_parser('sweep', help='training iterations of one probe and of 20')
    sweep.add_argument('--arch', choices=twlv_mm.list_models(), default='twlv_base', help='default twlv_base')
    sweep.add_argument('--videos', type=int, default=1, help='per batch (default 1)')
    sweep.add_argument('--iterations', type=int, default=5, help='after one warm-up iteration (default 5)')
    sweep.set_defaults(measure=measure_sweep)
    squeezetime = tasks.add_parser('squeezetime', help='ways to run SqueezeTime on a CPU')
    squeezetime.add_argument('--batch-size', type=int, default=1, help='clips (default 1)')
    squeezetime.add_argument('--turns', type=int, default=10, help='measurements of each way (default 10)')
    squeezetime.set_defaults(measure=measure_squeezetime)
    args = parser.parse_args()
    args.measure(args)


if __name__ == '__main__':
    run_tool(main)
