"""Small sets in AVA's format: videos of a bright rectangle that moves, and the files that go with them."""

import json

import numpy as np
from mmengine.registry import init_default_scope

from twlv_mm.registry import DATASETS
from twlv_mm.synthetic import write_video

HEIGHT, WIDTH = 96, 160
ACTIONS = {1: 'stand', 3: 'sit', 4: 'read'}


def rectangle_at(index):
    """Box of the rectangle in frame ``index``, in pixels."""
    return np.array([20 + index % 60, 30, 60 + index % 60, 70])


def write_rectangle(path, num_frames=120, fps=12):
    """Write a video of the rectangle on a dark ground."""
    frames = np.full((num_frames, HEIGHT, WIDTH, 3), 30, np.uint8)
    for index, frame in enumerate(frames):
        x1, y1, x2, y2 = rectangle_at(index)
        frame[y1:y2, x1:x2] = 220
    write_video(path, frames, fps)


def row(video, timestamp, action, person=0, fps=12, offset=900):
    """A line of the csv with the rectangle of that time."""
    x1, y1, x2, y2 = rectangle_at(round((timestamp - offset) * fps)) / [WIDTH, HEIGHT, WIDTH, HEIGHT]
    return f'{video},{timestamp:04d},{x1:.4f},{y1:.4f},{x2:.4f},{y2:.4f},{action},{person}'


def write_set(folder, rows=None, *, videos=('a.mp4', 'b.mp4'), proposals=None):
    """Write videos, ava.csv, excluded.csv (empty), actions.pbtxt and, if given, proposals.json.

    Without ``rows``: two keyframes of each video, with the actions 1 and 3.
    """
    (folder / 'videos').mkdir(exist_ok=True)
    for video in videos:
        write_rectangle(folder / 'videos' / video)
    if rows is None:
        rows = [row(video, second, action) for video in 'ab' for second in (902, 905) for action in (1, 3)]
    (folder / 'ava.csv').write_text('\n'.join(rows) + '\n')
    (folder / 'excluded.csv').touch()
    items = (f'item {{\n  name: "{name}"\n  id: {id_}\n}}\n' for id_, name in ACTIONS.items())
    (folder / 'actions.pbtxt').write_text(''.join(items))
    if proposals is not None:
        (folder / 'proposals.json').write_text(json.dumps(proposals))
    return folder


def dataset_config(folder, **options):
    """Config of the dataset on what :func:`write_set` has written."""
    options.setdefault('pipeline', [])
    files = dict(ann_file='ava.csv', exclude_file='excluded.csv', label_file='actions.pbtxt')
    files = {key: str(folder / name) for key, name in files.items()}
    defaults = dict(type='twlv_mm.AVAVideoDataset', data_prefix=dict(img=str(folder / 'videos')))
    return defaults | files | options


def build(folder, **options):
    """The dataset on what :func:`write_set` has written."""
    init_default_scope('mmaction')
    return DATASETS.build(dataset_config(folder, **options))
