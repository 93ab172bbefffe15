#!/usr/bin/env python
"""Exact search and the LanceDB index by the number of clips: time, memory, disk and recall.

Vectors are simulated: topics contain videos, which contain clips, with the spectrum of real embeddings. Each
measurement has a process of its own.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

import numpy as np

from benchmarks.steps import peak_bytes_of
from twlv_mm.embeddings import write_embeddings
from twlv_mm.search import Collection, IndexedCollection, update_index

DIMS, CLIPS, TOPICS, QUERIES = 768, 100, 200, 20
SETTINGS = dict(model='twlv_base', weights_sha256='ab' * 32, sampling='multi-clip', clip_seconds=2.0)
SEARCHES = ((20, 1), (10, 10), (20, 10), (40, 10), (40, 30))  # partitions, refined


def simulate(folder, clips):
    """A folder of ``clips`` clips, a hundred per video; larger ones start with the videos of smaller ones."""
    times = 2.0 * np.stack([np.arange(CLIPS), np.arange(CLIPS) + 1], axis=1)
    scale = np.arange(1, DIMS + 1, dtype=np.float32) ** -0.5
    topics = scale * np.random.default_rng(0).standard_normal((TOPICS, DIMS), dtype=np.float32)
    for number in range(clips // CLIPS):
        if not (folder / f'{number:06d}.json').exists():
            rng = np.random.default_rng([1, number])
            video = topics[rng.integers(TOPICS)] + 0.7 * scale * rng.standard_normal(DIMS, dtype=np.float32)
            vectors = video + 0.5 * scale * rng.standard_normal((CLIPS, DIMS), dtype=np.float32)
            write_embeddings(folder, f'{number:06d}', vectors, times, dict(SETTINGS, duration=200.0, num_frames=6000))


def measured(run):
    start, cpu = time.perf_counter(), time.process_time()
    peak = peak_bytes_of(run)
    return dict(seconds=time.perf_counter() - start, cpu=time.process_time() - cpu, MiB=peak / 2**20)


def build(folder):
    """Build the index, or add new clips to it."""
    return measured(lambda: update_index(folder)) | dict(disk_MiB=size(folder / '.lance'))


def exact(folder):
    """Open the folder, cold and warm, and answer queries one by one, reading everything for each."""
    found, collection = {}, None

    def opening():
        nonlocal collection
        collection = Collection(folder)

    for name in ('first', 'again'):
        found |= {f'open_{name}_{key}': value for key, value in measured(opening).items()}
    queries = np.array(collection.vectors[:: len(collection) // QUERIES][:QUERIES])
    return found | measured(lambda: [collection.nearest_clips(query, 10) for query in queries[:5]]) | dict(queries=5)


def indexed(folder):
    """Open the index and answer queries with several settings."""
    found, collection = {}, None

    def opening():
        nonlocal collection
        collection = IndexedCollection(folder)
        len(collection.sample)

    found['open'] = measured(opening)
    vectors, _ = collection._sampled(QUERIES)
    for partitions, refined in SEARCHES:
        options = dict(partitions=partitions, refined=refined)
        collection.nearest_clips(vectors[0], 10, **options)
        took = measured(lambda: [collection.nearest_clips(vector, 10, **options) for vector in vectors])  # noqa: B023
        found[f'{partitions} partitions, {refined} refined'] = dict(
            seconds_a_query=took['seconds'] / QUERIES, MiB=took['MiB'], recall=collection.recall(**options)
        )
    return found


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 2**20


STEPS = dict(build=build, exact=exact, indexed=indexed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True, help='folder for the simulated collection')
    parser.add_argument('--clips', type=int, nargs='+', default=[100_000, 1_000_000], help='default %(default)s')
    parser.add_argument('--step', choices=STEPS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        print(json.dumps(STEPS[args.step](args.out)))
        return
    for clips in sorted(args.clips):
        start = time.perf_counter()
        simulate(args.out, clips)
        print(f'{clips:,} clips, written in {time.perf_counter() - start:.0f} s, {size(args.out):.0f} MiB', flush=True)
        for step in STEPS:
            command = [sys.executable, __file__, '--out', args.out, '--step', step]
            found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            print(f'  {step}: {found.stdout.splitlines()[-1]}', flush=True)


if __name__ == '__main__':
    main()
