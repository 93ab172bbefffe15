#!/usr/bin/env python
"""Time and memory of opening, checking, resuming and searching a folder of embeddings, by its number of videos."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CLIPS, DIMS = 5, 128
SETTINGS = dict(
    model='twlv_base', weights_sha256='ab' * 32, sampling='multi-clip', clip_seconds=2.0, stride_seconds=2.0
)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', required=True, help='folder for the simulated collections')
    parser.add_argument('--videos', type=int, nargs='+', default=[1000, 10000, 100000])
    parser.add_argument('--steps', nargs='+', choices=STEPS, default=list(STEPS))
    parser.add_argument('--step', nargs=2, metavar=('STEP', 'FOLDER'), help=argparse.SUPPRESS)
    return parser.parse_args()


def simulate(folder, count):
    """Make a folder of ``count`` videos whose files are links to those of 1,000, to save disk space."""
    from twlv_mm.embeddings import write_embeddings

    if folder.exists():
        return
    times = 2.0 * np.stack([np.arange(CLIPS), np.arange(CLIPS) + 1], axis=1)
    for number in range(count):
        video_id = f'{number:07d}'
        if number < 1000:
            clips = np.random.default_rng(number).standard_normal((CLIPS, DIMS), dtype=np.float32)
            info = dict(SETTINGS, view='forward', duration=10.0, num_frames=300, annotation=number % 100)
            write_embeddings(folder, video_id, clips, times, info)
            continue
        for ending in ('_c.npy', '_v.npy', '.json'):
            os.link(folder / f'{number % 1000:07d}{ending}', folder / f'{video_id}{ending}')
    videos = [f'{number:07d}' for number in range(count)]
    (folder / 'manifest.json').write_text(json.dumps(dict(schema_version=1, settings=[], videos=videos)))


def open_folder(folder):
    from twlv_mm.embeddings import EmbeddingFolder

    EmbeddingFolder(folder)


def matrix(folder):
    from twlv_mm.embeddings import load_matrix

    load_matrix(folder, 'clip')


def resume(folder):
    """What a run does before its first new video: open the manifest and list finished videos."""
    from twlv_mm.embeddings.manifest import enter_run
    from twlv_mm.embeddings.store import Store

    video_ids = json.loads((folder / 'manifest.json').read_text())['videos']
    more = [f'new{number}' for number in range(3 * len(video_ids))]
    enter_run(folder, {}, video_ids + more, mix=True)
    store = Store(folder, ['npy'], video_ids + more)
    assert len(store.finished) == len(video_ids)


def check(folder):
    from twlv_mm.embeddings import verify

    verify(folder)


def knn(folder):
    """Cosines of 1,000 videos to all others, and their 20 nearest neighbours."""
    import torch

    from twlv_mm.embeddings import load_matrix

    vectors = torch.nn.functional.normalize(torch.tensor(load_matrix(folder).vectors))
    for block in vectors[:1000].split(100):
        (block @ vectors.T).topk(20)


def report(folder):
    """A page with a plot of the embeddings, without results."""
    from twlv_mm.report import View, write_report

    with tempfile.TemporaryDirectory() as results:
        write_report(results, views=[View('simulated', 'Embeddings', str(folder))])


STEPS = dict(
    folder=open_folder, resume=resume, matrix=matrix, matrix_again=matrix, knn=knn, verify=check, report=report
)


def main():
    args = parse_args()
    if args.step:
        import resource

        import twlv_mm.embeddings  # noqa: F401  importing is no part of it

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start, cpu = time.perf_counter(), time.process_time()
        STEPS[args.step[0]](Path(args.step[1]))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f'{seconds:.2f} {cpu:.2f} {(after - before) / 1024:.0f}')
        return
    print('videos    step          seconds  CPU seconds  MiB more')
    for count in args.videos:
        folder = Path(args.out) / str(count)
        simulate(folder, count)
        for step in args.steps:
            command = [sys.executable, __file__, '--out', args.out, '--step', step, str(folder)]
            # Each step has its own process, so that memory is not shared with others.
            found = subprocess.run(command, capture_output=True, text=True)
            if found.returncode:
                sys.exit(found.stderr)
            seconds, cpu, memory = found.stdout.split()[-3:]
            print(f'{count:<9} {step:<13} {seconds:>7}  {cpu:>11}  {memory:>8}', flush=True)


if __name__ == '__main__':
    main()
