#!/usr/bin/env python
"""Embedding on a Ray cluster of two nodes on this machine, one of which is killed during the run."""

import argparse
import os
import shutil
import threading
import time
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = '1'
import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

import numpy as np
import ray
from ray.cluster_utils import Cluster

from twlv_mm.embeddings import EmbeddingFolder, Extractor, extract_collection, find_videos, verify
from twlv_mm.synthetic import make_trimmed

OBJECT_STORE = 100 << 20
# Ray's default, half a minute until a silent node counts as dead, is for real networks.
HEALTH = dict(health_check_period_ms=1000, health_check_timeout_ms=1000, health_check_failure_threshold=5)


class TwoNodes:
    """Two nodes of one CPU each, as a context; this process is connected to the first, and ``second`` can be killed."""

    def __enter__(self):
        node = dict(num_cpus=1, object_store_memory=OBJECT_STORE)
        head = dict(node, include_dashboard=False, _system_config=HEALTH)
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.second = self.cluster.add_node(**node)
        self.cluster.wait_for_nodes()
        # Otherwise the extraction would start a cluster or join another one.
        ray.init(address=self.cluster.address, log_to_driver=False)
        return self

    def lose(self, out, videos):
        """Kill the second node, in the background, once this many videos are embedded."""

        def kill():
            while len(list(out.rglob('*_v.npy'))) < videos:
                time.sleep(0.02)
            self.cluster.remove_node(self.second, allow_graceful=False)

        threading.Thread(target=kill, daemon=True).start()

    def __exit__(self, *exception):
        ray.shutdown()
        self.cluster.shutdown()


def difference(folder, expected):
    """The largest difference of two folders' vectors; infinite if their videos differ."""
    if folder.video_ids != expected.video_ids:
        return float('inf')
    return max(np.abs(folder.clips(id_) - expected.clips(id_)).max() for id_ in expected.video_ids)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--videos', type=int, default=200, help='default %(default)s')
    parser.add_argument('--workers', type=int, default=2, help='decoding actors (default %(default)s)')
    parser.add_argument('--out', type=Path, default='work_dirs/ray_nodes', help='emptied first (default %(default)s)')
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    make_trimmed(args.out / 'videos', num_train=args.videos, num_test=8, workers=1)
    videos = find_videos(args.out / 'videos/train')
    extractor = Extractor('twlv_small_synthetic', 'official', clip_seconds=0.5, batch_size=4, device='cpu')
    extract_collection(extractor, videos, args.out / 'local', workers=0)
    expected = EmbeddingFolder(args.out / 'local/multi-clip/all')
    for what, after in (('two nodes', None), ('one of them lost', args.videos // 4)):
        out = args.out / what
        with TwoNodes() as nodes:
            if after:
                nodes.lose(out, after)
            start = time.monotonic()
            summary = extract_collection(extractor, videos, out, engine='ray', workers=args.workers)
            seconds = time.monotonic() - start
            alive = sum(node['Alive'] for node in ray.nodes())
        folder = EmbeddingFolder(out / 'multi-clip/all')
        print(
            f'{what}: {summary.embedded} of {len(videos)} videos in {seconds:.0f} s, {len(summary.failures)} failed, '
            f'{alive} nodes at the end, {len(verify(folder))} problems, largest difference from one process '
            f'{difference(folder, expected):.1g}',
            flush=True,
        )


if __name__ == '__main__':
    main()
