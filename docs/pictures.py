#!/usr/bin/env python
"""Make the pictures of README and docs, docs/pictures/*.png: small models on generated videos, drawn by the project.

Takes two idle CPU cores about six minutes. Videos and models stay in work_dirs/pictures and are used again.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

import twlv_mm
from twlv_mm.inference import read_strip
from twlv_mm.synthetic import APPEARANCES, MOTIONS, item_rng, make_boxes, make_trimmed, make_untrimmed, render_clip
from twlv_mm.visualization import class_colour, contact_sheet, draw_label_bars, draw_timeline

ROOT = Path(__file__).resolve().parents[1]
OUT, WORK = ROOT / 'docs/pictures', ROOT / 'work_dirs/pictures'
MAX_BYTES = 150_000
VIDEO = 'test_0003'  # of those that no model has seen
CONFIGS = {
    'tal.py': (
        "_base_ = 'twlv_mm::own/tal.py'",
        "data_root = 'untrimmed'",
        "train_subset, test_subset = 'Validation', 'Test'",
    ),
    'tas.py': ("_base_ = 'twlv_mm::own/tas.py'", "data_root = 'untrimmed'", 'fps = 8', 'num_folds = 2'),
}


def twlv(*arguments):
    """Run a tool in the work folder."""
    environment = os.environ | dict(SYNTHETIC='.', OMP_NUM_THREADS='1')
    subprocess.run([sys.executable, '-m', 'twlv_tools', *map(str, arguments)], cwd=WORK, env=environment, check=True)


def trained(config, *options):
    """The last checkpoint of a config, which is trained first; its folder is named after the config."""
    folder = WORK / f'work_dirs/{Path(config).stem}'
    if not (folder / 'finished').exists():
        twlv('train', config, '--seed', 0, '--resume', *options)
        (folder / 'finished').touch()
    return Path((folder / 'last_checkpoint').read_text())


def newest(pattern):
    return max(WORK.glob(pattern), key=os.path.getmtime)


def save(name, source):
    """Put a picture into docs/pictures/, smaller if it would be too many bytes."""
    picture = Image.open(source).convert('RGB')
    path = OUT / f'{name}.png'
    picture.save(path, optimize=True)
    while path.stat().st_size > MAX_BYTES:
        picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=4).save(path, optimize=True)
        picture = picture.resize([round(side * 0.9) for side in picture.size], Image.LANCZOS)
    print(f'{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB, {picture.width} x {picture.height}')


def draw_contact_sheet():
    """Each appearance and each motion once."""

    def strip(index, **labels):
        return render_clip(item_rng(0, 'train', index), 'train', **labels)[0][::2]

    columns = {
        'appearance': {name: strip(n, appearance=name, motion='right') for n, name in enumerate(APPEARANCES)},
        'motion': {name: strip(n, motion=name) for n, name in enumerate(MOTIONS)},
    }
    contact_sheet(WORK / 'contact_sheet.png', columns)
    save('contact_sheet', WORK / 'contact_sheet.png')


def find_actions():
    """Segments that ActionFormer finds in VIDEO, and the annotated ones."""
    trained('tal.py', '--test')
    found = json.loads(newest('work_dirs/tal/*/predictions.json').read_text())['results'][VIDEO]
    true = json.loads((WORK / 'untrimmed/annotations.json').read_text())['database'][VIDEO]['annotations']
    return [
        [dict(label=a['label'], start=a['segment'][0], end=a['segment'][1], score=a.get('score', 1)) for a in actions]
        for actions in (found, true)
    ]


def label_frames():
    """Segments (label, start, end) that ASFormer gives VIDEO, and the annotated ones."""
    checkpoint = trained('tas.py', '--test')
    names = [line.split()[1] for line in (WORK / 'untrimmed/mapping.txt').read_text().splitlines()]
    truth = (WORK / f'untrimmed/groundTruth/{VIDEO}.txt').read_text().split()
    edges = [0, *(n for n in range(1, len(truth)) if truth[n] != truth[n - 1]), len(truth)]
    true = [(names.index(truth[a]), a / 8, b / 8) for a, b in pairwise(edges)]
    twlv('infer', 'tas.py', checkpoint, f'untrimmed/videos/test/{VIDEO}.mp4', '--out', 'labelled')
    with (WORK / 'labelled/summary.csv').open() as file:
        found = [(names.index(row['label']), float(row['start']), float(row['end'])) for row in csv.DictReader(file)]
    return names, found, true


def draw_boxes():
    """Keyframes of the first test videos, with boxes as a person detector gives them, and their actions."""
    options = ('--cfg-options', 'encoder_weights=official')
    checkpoint = trained('synthetic/ava_roi.py', '--test', *options)
    shutil.rmtree(WORK / 'keyframes', ignore_errors=True)
    # Not in work_dirs: what it scores is no result.
    few = ('--work-dir', 'few', '--show-dir', 'keyframes', *options, 'test_dataloader.dataset.indices=80')
    twlv('test', 'synthetic/ava_roi.py', checkpoint, *few)
    return [sorted(folder.iterdir())[3] for folder in sorted((WORK / 'keyframes').iterdir())[:6]]


def draw_embeddings():
    """t-SNE of 400 test clips, coloured by motion, of the small encoder without and with training."""
    source = ('twlv_small_synthetic', 'trimmed/test_motion.txt', '--sampling', 'uniform', '--split', 'test')
    twlv('extract', *source, '--out', 'untrained')
    twlv('extract', *source, '--out', 'trained', '--weights', 'official')
    panels = ('untrained=untrained/uniform/test', 'trained=trained/uniform/test')
    names = ('--class-names', 'trimmed/classes_motion.txt')
    twlv('visualize', 'embeddings', *panels, *names, '--method', 'tsne', '--out', 'scatter')
    save('tsne', WORK / 'scatter/tsne.png')


def draw_report():
    """The report of all these runs, in Chromium."""
    browser = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
    if browser is None:
        print('There is no Chromium: docs/pictures/report.png stays as it is')
        return
    twlv('report', 'work_dirs', '--out', 'report')
    flags = ('--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--window-size=1200,1100')
    page = (WORK / 'report/report.html').as_uri()
    subprocess.run([browser, *flags, f'--screenshot={WORK}/report.png', page], check=True, capture_output=True)
    save('report', WORK / 'report.png')


def draw_overview(frames, vectors, scores, actions, segments, boxes):
    """What goes in, and what comes out."""
    figure = Figure(figsize=(12, 4.4), dpi=120)
    page = figure.add_axes((0, 0, 1, 1))
    page.set_axis_off()
    page.set(xlim=(0, 1), ylim=(0, 1))

    def label(x, y, text, **style):
        page.text(x, y, text, ha='center', va='center', **dict(fontsize=11) | style)

    def arrow(start, end):
        page.annotate('', end, start, arrowprops=dict(arrowstyle='-|>', color='0.4', lw=1.6))

    def panel(left, bottom, width, height, title=''):
        axes = figure.add_axes((left, bottom, width, height))
        axes.set_title(title, fontsize=10, loc='left', pad=4)
        axes.set(xticks=[], yticks=[])
        return axes

    for place, frame in enumerate(frames[:3]):
        panel(0.02, 0.62 - 0.25 * place, 0.09, 0.23).imshow(frame)
    arrow((0.12, 0.48), (0.16, 0.48))
    page.add_patch(FancyBboxPatch((0.175, 0.26), 0.15, 0.44, boxstyle='round,pad=0.008', fc='#e8eef7', ec='#3a5f9a'))
    names = 'TWLV-I  V-JEPA 2', 'UMT  VideoMAE', 'InternVideo2  CLIP', 'hf:  timm:  mmaction:', 'your own class'
    label(0.25, 0.48, '\n'.join(names), linespacing=1.9)
    arrow((0.34, 0.48), (0.375, 0.48))
    heat = panel(0.39, 0.12, 0.14, 0.73)
    heat.imshow(vectors, aspect='auto', cmap='coolwarm', vmin=-2, vmax=2, interpolation='nearest')
    label(0.46, 0.07, 'a row for each clip', fontsize=9, color='0.4')
    for x, text in (
        (0.065, 'your videos'),
        (0.25, 'any encoder'),
        (0.46, 'embeddings'),
        (0.79, 'results, and a report'),
    ):
        label(x, 0.94, text, fontweight='bold')
    for end in (0.8, 0.6, 0.42, 0.18):
        arrow((0.54, 0.48), (0.585, end))

    left, width = 0.6, 0.38
    recognition = panel(left + 0.07, 0.74, width - 0.07, 0.12, 'recognition: which action?')
    names, values = zip(*((one['label'], one['score']) for one in scores[2::-1]), strict=True)
    recognition.barh(range(3), values, color=[class_colour(MOTIONS.index(name)) for name in names], height=0.75)
    recognition.set(yticks=range(3), yticklabels=names, xlim=(0, 1))
    recognition.tick_params(length=0, labelsize=8)
    localization = panel(left, 0.555, width, 0.09, 'localization: from when to when?')
    for action in actions:
        colour = class_colour(MOTIONS.index(action['label']))
        localization.barh(0, action['end'] - action['start'], 0.8, action['start'], align='edge', color=[colour])
    segmentation = panel(left, 0.375, width, 0.09, 'segmentation: every frame')
    for place, start, stop in segments:
        colour = class_colour(place) if place < len(MOTIONS) else '0.88'
        segmentation.barh(0, stop - start, 0.8, start, align='edge', color=[colour])
    for axes in (localization, segmentation):
        axes.set(xlim=(0, segments[-1][2]), ylim=(0, 0.8))
    page.text(left, 0.32, 'detection: who, where?', fontsize=10, va='center')
    for place, box in enumerate(boxes[:4]):
        panel(left + 0.097 * place, 0.015, 0.09, 0.275).imshow(box)
    figure.savefig(WORK / 'overview.png')
    save('overview', WORK / 'overview.png')


def main():
    OUT.mkdir(exist_ok=True)
    WORK.mkdir(parents=True, exist_ok=True)
    make_trimmed(WORK / 'trimmed', num_train=400, num_test=400)
    make_untrimmed(WORK / 'untrimmed', num_videos=24)
    make_boxes(WORK / 'boxes', num_clips=120)
    for name, lines in CONFIGS.items():
        (WORK / name).write_text('\n'.join(lines) + '\n')

    draw_contact_sheet()
    path = WORK / f'untrimmed/videos/test/{VIDEO}.mp4'
    frames, times = read_strip(path)
    found, true = find_actions()
    likely = [action for action in found if action['score'] >= 0.3]
    names, segments, true_segments = label_frames()
    duration = true_segments[-1][2]
    strip = dict(frames=frames, frame_times=times)
    draw_timeline(WORK / 'timeline.png', duration, likely, true, classes=MOTIONS, title='localization', **strip)
    save('timeline', WORK / 'timeline.png')
    rows = [('annotated', true_segments), ('predicted', segments)]
    background = [names.index('background')]
    draw_label_bars(WORK / 'bars.png', rows, duration, names, title='segmentation', background=background, **strip)
    save('label_bars', WORK / 'bars.png')

    boxes = [np.asarray(Image.open(file)) for file in draw_boxes()]
    rows = [np.hstack(boxes[:3]), np.hstack(boxes[3:])]
    Image.fromarray(np.vstack(rows)).save(WORK / 'boxes.png')
    save('boxes', WORK / 'boxes.png')
    draw_embeddings()

    probe = trained('synthetic/motion_linear.py', '--test', '--cfg-options', 'encoder_weights=official')
    infer = ('infer', 'work_dirs/motion_linear/motion_linear.py', probe, 'trimmed/test/00000.mp4', '--out', 'probed')
    twlv(*infer, '--classes', 'trimmed/classes_motion.txt')
    scores = json.loads((WORK / 'probed/00000.json').read_text())['predictions']
    vectors = np.stack([one.vector for one in twlv_mm.embed(str(path))[:-1]])
    draw_overview(frames[::3], vectors, scores, likely, segments, boxes)
    draw_report()


if __name__ == '__main__':
    main()
