#!/usr/bin/env python
"""Random kill -9 during extraction, indexing, training and pretraining: no finished work is lost, results are the same.

Runs on generated videos are killed at random times after their work has begun, and restarted until they end. Finished
work must not be repeated, and the results must be those of an undisturbed run: the same bytes, weights and scores.
Processes are forked from one that has imported everything, so that hundreds of kills take minutes.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = '1'
import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

import mmaction.datasets
import mmaction.engine
import mmaction.models
import mmaction.visualization  # noqa: F401  once for all processes
import mmengine
import numpy as np
import torch
from mmengine.hooks import CheckpointHook, Hook

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.embeddings import (
    EmbeddingFolder,
    Extractor,
    extract_collection,
    find_videos,
    parquet_store,
    verify,
    write_embeddings,
)
from twlv_mm.embeddings.store import Store
from twlv_mm.engine import Runner, launch
from twlv_mm.records import append_line
from twlv_mm.search import IndexedCollection, index
from twlv_mm.synthetic import make_trimmed

CONFIGS = Path(__file__).resolve().parents[1] / 'configs/synthetic'
TRAINING = """
_base_ = '{configs}/appearance_finetune.py'
train_dataloader = dict(batch_size=4)
val_dataloader = dict(batch_size=8, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dict(
    type='VideoDataset', data_root={{{{_base_.data_root}}}}, ann_file='test_appearance.txt', data_prefix=dict(video=''),
    pipeline={{{{_base_.pipeline}}}}, test_mode=True))
val_evaluator, val_cfg = dict(type='AccMetric'), dict(type='ValLoop')
train_cfg = dict(max_epochs=8)
default_hooks = dict(checkpoint=dict(save_best='acc/top1', rule='greater'))
"""
PRETRAINING = """
_base_ = '{configs}/pretrain_pixels.py'
train_dataloader = dict(sampler=dict(batch_sizes=dict(video=4)))
train_cfg = dict(max_iters=48)
param_scheduler = [dict(type='LinearLR', start_factor=0.1, end=48, by_epoch=False)]
default_hooks = dict(checkpoint=dict(interval=4))
"""
MOST_KILLS = 20  # of a run; one that starts over each time would never end
DATA = Path('work_dirs/synthetic/trimmed')
FORMATS = (['npy'], ['parquet'], ['npy', 'parquet'])
PART_VIDEOS = 6  # of 32, so that parts are written while a run lasts


class Job:
    """A run to kill.

    Attributes:
        name (str): Its name.
        processes (int): Number of processes that run it together.
        seconds (float): Time between the earliest and the latest kill.
    """

    processes, seconds = 1, 1.0

    def __init__(self, root):
        self.root = root

    def run(self, folder):
        """Do all of it, or the rest of it; runs in a process of its own."""
        raise NotImplementedError

    def outcome(self, folder):
        """The results that must equal those of an undisturbed run."""
        raise NotImplementedError

    def lost(self, lines):
        """How often finished work was repeated, by the lines of ``progress.txt``."""
        raise NotImplementedError


class Extraction(Job):
    def __init__(self, root, formats, processes):
        super().__init__(root)
        self.formats, self.processes = formats, processes
        self.name = f'extraction, {"+".join(formats)}, {processes} process{"es" * (processes > 1)}'

    def run(self, folder):
        written, entered = Store.write, Store.__init__

        def write(store, video_id, *args):
            written(store, video_id, *args)
            append_line(folder / 'progress.txt', f'done {video_id}')

        def begin(store, *args, **kwargs):
            append_line(folder / 'progress.txt', 'begun')
            entered(store, *args, **kwargs)

        Store.write, Store.__init__ = write, begin
        parquet_store.PART_VIDEOS = PART_VIDEOS
        extractor = Extractor('twlv_small_synthetic', sampling='multi-clip', clip_seconds=0.5, batch_size=3)
        videos = find_videos(DATA / 'train')
        extract_collection(extractor, videos, folder / 'out', 'train', formats=self.formats, workers=0)

    def outcome(self, folder):
        folder = folder / 'out/multi-clip/train'
        problems = verify(folder)
        embeddings = EmbeddingFolder(folder)
        found = {id_: hashlib.sha256(embeddings.clips(id_).tobytes()).hexdigest() for id_ in embeddings.video_ids}
        if self.processes == 1:  # with several, the order of parts depends on timing
            files = [
                path for path in folder.rglob('*') if path.is_file() and not path.name.endswith(('.lock', '.claims'))
            ]
            found = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        return dict(files=found, problems=problems)

    def lost(self, lines):
        done = Counter(line for line in lines if line.startswith('done'))
        return sum(count - 1 for count in done.values())


class Indexing(Job):
    name = 'index in LanceDB'
    videos, clips, dims = 300, 5, 32

    def __init__(self, root):
        super().__init__(root)
        self.collection = root / 'collection'
        times = np.stack([np.arange(self.clips), np.arange(self.clips) + 1.0], axis=1)
        for number in range(self.videos):
            vectors = np.random.default_rng(number).standard_normal((self.clips, self.dims), dtype=np.float32)
            write_embeddings(
                self.collection, f'{number:03d}', vectors, times, dict(duration=float(self.clips), num_frames=50)
            )

    def run(self, folder):
        index.LEAST_INDEXED, index.COMMIT_NUMBERS = 600, 100 * self.dims
        append_line(folder / 'progress.txt', 'begun')
        index.update_index(
            self.collection,
            str(folder / 'out'),
            progress=lambda clips: append_line(folder / 'progress.txt', f'done {clips}'),
        )

    def outcome(self, folder):
        found = folder / 'outcome.json'
        if not (pid := os.fork()):  # LanceDB's threads do not survive a later fork
            try:
                collection = IndexedCollection(self.collection, str(folder / 'out'))
                stored = [collection.clips(video_id)[1].tobytes() for video_id in collection.video_ids]
                kinds = sorted(kind.name for kind in collection._table.list_indices())
                digest = hashlib.sha256(b''.join(stored)).hexdigest()
                found.write_text(json.dumps([len(collection), len(stored), digest, kinds]))
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        return json.loads(found.read_text())

    def lost(self, lines):
        added = sum(int(line.split()[1]) for line in lines if line.startswith('done'))
        return max(0, added - self.videos * self.clips)


class Training(Job):
    seconds = 3.0

    def __init__(self, root, name, config, test):
        super().__init__(root)
        self.name, self.test = name, test
        self.config = root / f'{name}.py'
        self.config.write_text(config.format(configs=CONFIGS))

    def run(self, folder):
        save = CheckpointHook._save_checkpoint_with_step
        steps_of = (lambda runner: runner.iter) if 'Step' in self._loop() else (lambda runner: runner.epoch)

        def saved(hook, runner, step, meta):
            save(hook, runner, step, meta)
            append_line(folder / 'progress.txt', f'done {step}')

        class Begin(Hook):
            def before_train(self, runner):
                append_line(folder / 'progress.txt', f'begun {steps_of(runner)}')

        CheckpointHook._save_checkpoint_with_step = saved
        registered = Runner.register_hooks

        def register(runner, *args, **kwargs):
            runner.register_hook(Begin())
            registered(runner, *args, **kwargs)

        Runner.register_hooks = register
        arguments = [str(self.config), '--work-dir', str(folder / 'out'), '--resume']
        launch.main_train(arguments + (['--test'] if self.test else []))

    def outcome(self, folder):
        folder = folder / 'out'
        checkpoints = {}
        for path in folder.glob('*.pth'):
            state = load_checkpoint(path)['state_dict']
            content = b''.join(state[name].numpy().tobytes() for name in sorted(state))
            checkpoints[path.name] = hashlib.sha256(content).hexdigest()
        results = sorted(folder.glob('*/results.json'))
        return dict(
            checkpoints=checkpoints, metrics=json.loads(results[-1].read_text())['metrics'] if results else None
        )

    def lost(self, lines):
        count = newest = 0
        for line in lines:
            what, step = line.split()
            if what == 'done':
                newest = max(newest, int(step))
            else:
                count += int(step) < newest
        return count

    def _loop(self):
        return mmengine.Config.fromfile(self.config).train_cfg.type


def start(job, folder):
    """Run a job in a process of its own; returns the process id."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        log = os.open(folder / 'log.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        torch.set_num_threads(1)
        job.run(folder)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def ended(pids):
    """Remove ended processes from a dict; returns whether one failed without being killed."""
    failed = False
    for pid in list(pids):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            failed |= os.waitstatus_to_exitcode(status) not in (0, -signal.SIGKILL)
            pids.remove(pid)
    return failed


def progress(folder):
    """Lines on started and finished work; a killed process may have cut the last one."""
    path = folder / 'progress.txt'
    return path.read_text().split('\n')[:-1] if path.exists() else []


def killed_until_done(job, folder, rng):
    """Run a job, killing it repeatedly; returns the number of kills."""
    kills = 0
    while True:
        before = len(progress(folder))
        pids = [start(job, folder) for _ in range(job.processes)]
        # A quarter is killed as soon as it has begun, the others later.
        needed = 'begun' if rng.random() < 0.25 else 'done'
        while pids and not any(line.startswith(needed) for line in progress(folder)[before:]):
            check(not ended(pids), job, folder)
            time.sleep(0.005)
        until = time.monotonic() + rng.uniform(0, job.seconds)
        while pids and time.monotonic() < until:
            check(not ended(pids), job, folder)
            time.sleep(0.005)
        victims = [*pids] if len(pids) < 2 or rng.random() < 0.5 else [rng.choice(pids)]
        victims = victims if kills < MOST_KILLS else []
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        kills += len(victims)
        while pids:
            check(not ended(pids), job, folder)
            time.sleep(0.005)
        if not victims:
            return kills


def check(fine, job, folder):
    if not fine:
        sys.exit(f'{job.name} failed by itself:\n{(folder / "log.txt").read_text()[-3000:]}')


def quicker():
    """Disable what dominates the time of a short run: formatted configs, compiler versions."""
    mmengine.config.config.FormatCode = lambda text, **_: (text, False)
    mmengine.runner.Runner._log_env = lambda *_: None
    torch.set_num_threads(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=20, help='default %(default)s')
    parser.add_argument('--seed', type=int, default=0, help='seed of the times of kills (default %(default)s)')
    parser.add_argument('--out', type=Path, default='work_dirs/kill', help='emptied first (default %(default)s)')
    args = parser.parse_args()
    root, rng = args.out.resolve(), random.Random(args.seed)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    os.chdir(root)  # the configs use relative paths
    make_trimmed(DATA, num_train=32, num_test=16, workers=1)
    quicker()
    jobs = [Extraction(root, kind, count) for kind in FORMATS for count in (1, 2)]
    jobs += [
        Indexing(root),
        Training(root, 'training', TRAINING, True),
        Training(root, 'pretraining', PRETRAINING, False),
    ]

    expected = {}
    for job in jobs:
        folder = root / 'undisturbed'
        folder.mkdir()
        pids = [start(job, folder) for _ in range(job.processes)]
        while pids:
            check(not ended(pids), job, folder)
            time.sleep(0.01)
        expected[job] = job.outcome(folder)
        folder.rename(root / f'undisturbed {job.name}')
    counts = {job: Counter() for job in jobs}
    end = time.monotonic() + 60 * args.minutes
    while time.monotonic() < end:
        for job in jobs:
            folder = root / 'run'
            folder.mkdir()
            counts[job]['kills'] += killed_until_done(job, folder, rng)
            counts[job]['runs'] += 1
            counts[job]['lost'] += (lost := job.lost(progress(folder)))
            counts[job]['other results'] += (differs := job.outcome(folder) != expected[job])
            if lost or differs:
                folder.rename(root / f'{job.name}, run {counts[job]["runs"]}')  # for inspection
            else:
                shutil.rmtree(folder)
    columns = ('runs', 'kills', 'lost', 'other results')
    print(f'{"":32}' + ''.join(f'{column:>15}' for column in columns))
    for job in jobs:
        print(f'{job.name:32}' + ''.join(f'{counts[job][column]:>15}' for column in columns))
    total = sum(counts.values(), Counter())
    print(f'{"all":32}' + ''.join(f'{total[column]:>15}' for column in columns))
    sys.exit(int(bool(total['lost'] or total['other results'])))


if __name__ == '__main__':
    main()
