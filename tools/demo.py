#!/usr/bin/env python
"""Demo on generated videos: train a small encoder, embed, search, probe, and make the report.

Everything is written to work_dirs/demo. It takes 4 to 7 minutes on two CPU cores.
"""

import argparse
import json
import os
import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mmengine
import numpy as np
from rich.console import Console
from rich.table import Table

from twlv_mm import get_model
from twlv_mm.embeddings import find_videos
from twlv_mm.evaluation import StepError, baselines, opposite_accuracy, probe_of_frames, read_clips, run_step
from twlv_mm.report import View, write_report
from twlv_mm.search import precision_at
from twlv_mm.synthetic import APPEARANCES, MOTIONS, item_rng, make_trimmed, render_clip
from twlv_mm.system_errors import run_tool
from twlv_mm.visualization import contact_sheet

ROOT = Path('work_dirs/demo')
VIDEOS = ROOT / 'videos'
WEIGHTS = ROOT / 'encoder/encoder.pth'
EMBEDDINGS, OWN = ROOT / 'embeddings', ROOT / 'own_video'
LOGS = ROOT / 'logs'
PAGE = ROOT / 'report'
ENCODER = 'twlv_small_synthetic'
LABELS = ('appearance', 'motion')
CONFIGS = Path(__file__).parents[1] / 'configs/synthetic'
NUM_TRAIN, NUM_TEST = 2000, 400


def run(command, *arguments, threads=None):
    """Run a command of ``twlv``, showing it; its output goes to a log of its own."""
    print(f'   $ {shlex.join(["twlv", command, *map(str, arguments)])}', flush=True)
    # Commands that run at the same time need logs of different names.
    log = LOGS / f'{command}_{"_".join(Path(part).stem for part in map(str, arguments[:2]))}.txt'
    try:
        succeeded = run_step(log, command, *arguments, threads=threads)
    except StepError:
        succeeded = False
    if not succeeded:
        raise SystemExit(f'error: the command failed; the end of {log}:\n{log.read_text()[-3000:]}')


def draw_classes(path):
    """Draw one clip of each appearance and of each motion."""

    def strip(index, **labels):
        return render_clip(item_rng(0, 'train', index), 'train', **labels)[0][::2]

    appearances = {name: strip(index, appearance=name, motion='right') for index, name in enumerate(APPEARANCES)}
    motions = {name: strip(index, motion=name) for index, name in enumerate(MOTIONS)}
    contact_sheet(path, {'appearance': appearances, 'motion': motions})


def embed(split):
    """Embed a split, one vector per video."""
    options = ['--sampling', 'uniform', '--weights', WEIGHTS, '--batch-size', 32, '--split', split]
    run('extract', ENCODER, VIDEOS / f'{split}_both.txt', '--out', EMBEDDINGS, *options)


def probe(label, kind):
    """Train a probe on the frozen encoder and test it (kNN: only test); top-1 in percent, (N, 8) scores of videos."""
    config, folder = CONFIGS / f'{label}_{kind}.py', ROOT / f'{label}_{kind}'
    options = ['--work-dir', folder, '--cfg-options']
    checkpoint = []
    if kind == 'knn':
        for part, split in (('model.bank', 'train'), ('test_dataloader.dataset', 'test')):
            options += [f'{part}.data_root={EMBEDDINGS}', f'{part}.ann_file={VIDEOS}/{split}_{label}.txt']
    else:
        options += [f'encoder_weights={WEIGHTS}']
        options += [f'{split}_dataloader.dataset.data_root={VIDEOS}' for split in ('train', 'test')]
        run('train', config, *options, threads=1)
        checkpoint = [(folder / 'last_checkpoint').read_text()]
    run('test', config, *checkpoint, '--dump', folder / 'scores.pkl', *options, threads=1)
    top1 = json.loads(max(folder.glob('*/results.json')).read_text())['metrics']['acc/top1']
    return top1, np.stack([sample['pred_score'] for sample in mmengine.load(folder / 'scores.pkl')])


def measure():
    """Rows of the table: name -> accuracy on appearance, on motion, and on a motion against its opposite."""
    jobs = [(label, kind) for kind in ('linear', 'attentive', 'knn') for label in LABELS]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # small probes: several processes beat several threads
        results = dict(zip(jobs, pool.map(probe, *zip(*jobs, strict=True)), strict=True))
    clips = {split: read_clips(VIDEOS, split) for split in ('train', 'test')}
    simple = baselines(clips)
    rows = {
        'chance': (12.5, 12.5, 50.0),
        'colour histogram': (simple['appearance from a colour histogram'], None, None),
        'middle frame, linear on pixels': (None, simple['motion from the middle frame, linear on pixels'], None),
        'small encoder on single frames, mean, linear': probe_of_frames(clips, get_model(ENCODER, str(WEIGHTS)), 4),
    }
    for kind, name in (('knn', 'kNN'), ('linear', 'linear probe'), ('attentive', 'attentive probe')):
        (what, _), (how, scores) = (results[label, kind] for label in LABELS)
        rows[f'small encoder, {name}'] = (what, how, opposite_accuracy(scores, clips['test'][1][:, 1]))
    return rows


def search():
    """Search the test videos for the first one and print precision@10 by motion and appearance; returns the page."""
    page, folder = ROOT / 'search/hits.html', EMBEDDINGS / 'uniform/test'
    first = find_videos(VIDEOS / 'test_motion.txt')[0].video_id
    options = ['--weights', WEIGHTS, '--videos', VIDEOS / 'test_motion.txt', '--html', page]
    run('search', first, '--in', folder, '--without-own', *options)
    for label in LABELS:
        classes = {video.video_id: video.annotation for video in find_videos(VIDEOS / f'test_{label}.txt')}
        precision, chance = precision_at(folder, classes)
        print(f'   same {label}: {precision:.1%} of the ten nearest (precision@10); chance is {chance:.1%}')
    return page


def make_page():
    """Write the report of the runs above."""
    test, names = str(EMBEDDINGS / 'uniform/test'), (VIDEOS / 'test_{}.txt', VIDEOS / 'classes_{}.txt')
    views = [
        View(ENCODER, f'Generated videos, {label}', test, *(str(name).format(label) for name in names))
        for label in LABELS
    ]
    return write_report(ROOT, PAGE, 'A small encoder on generated videos', views)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--video', help='a video of your own to embed as well')
    args = parser.parse_args()
    began = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)

    print(f'1. Rendering {NUM_TRAIN} training and {NUM_TEST} test videos into {VIDEOS}: 8 appearances x 8 motions.')
    make_trimmed(VIDEOS, num_train=NUM_TRAIN, num_test=NUM_TEST)
    draw_classes(ROOT / 'classes.png')

    print('2. Training a small encoder on them, from scratch.')
    sizes = ['--num-train', NUM_TRAIN, '--num-test', NUM_TEST]
    run('small', '--data', VIDEOS, '--out', WEIGHTS.parent, *sizes)

    print('3. Embedding the videos with the encoder.')
    with ThreadPoolExecutor() as pool:
        list(pool.map(embed, ('train', 'test')))
    if args.video:
        print(f'   And {args.video}, one vector per second.')
        run('extract', ENCODER, args.video, '--out', OWN, '--weights', WEIGHTS, '--clip-seconds', '1')

    print(f'4. Searching the {NUM_TEST} test videos for those most similar to one of them.')
    hits = search()

    print('5. Probing the frozen encoder: kNN on embeddings, a linear and an attentive probe on videos.')
    table = Table('top-1 on held-out videos, %', *LABELS, 'motion or its opposite')
    for name, values in measure().items():
        table.add_row(name, *('' if value is None else f'{value:.1f}' for value in values))
    print()
    Console(width=110).print(table)
    page, _ = make_page()
    print(f'Done in {time.monotonic() - began:.0f} s. Results:')
    print(f'  {ROOT / "classes.png"}: an example of each class')
    print(f'  {page}: the report, with all scores and plots of the embeddings')
    print(f'  {hits}: the search results, with clips to play')
    print(f'  {WEIGHTS}: the encoder')
    print(f'  {max((ROOT / "motion_linear").glob("*/results.json"))}: the result of one probe, with its settings;')
    print('  class_accuracy.csv and confusion_matrix.png beside it; each probe has its own folder')
    for path in [*sorted(EMBEDDINGS.rglob('*_v.npy'))[:1], *(sorted(OWN.rglob('*_c.npy'))[:1] if args.video else [])]:
        print(f'  {path}: an embedding of shape {np.load(path).shape}, and others beside it')


if __name__ == '__main__':
    run_tool(main)
