"""A small collection of generated videos, with a moment that is in two of them, embedded in both formats."""

import numpy as np
import pytest

from twlv_mm.embeddings import Extractor, extract_collection, find_videos
from twlv_mm.synthetic import item_rng, render_clip
from twlv_mm.video import write_video

FPS, CLIP = 8, 2.0
PLANTED = dict(one=(2.0, 4.0), two=(3.5, 5.5))  # where the moment is, in seconds


@pytest.fixture(scope='session')
def videos(tmp_path_factory):
    """Folder of the videos one, two and three of eight seconds; the moment is in moment.mp4 beside it."""
    root = tmp_path_factory.mktemp('search')
    (root / 'videos').mkdir()
    moment, *others = (
        render_clip(item_rng(3, 'test', number), 'test', appearance, motion, num_frames=frames)[0]
        for number, (appearance, motion, frames) in enumerate(
            [
                ('checked_square', 'right', 16),
                ('halved_bar', 'down', 64),
                ('striped_bar', 'up', 64),
                ('framed_bar', 'up', 64),
            ]
        )
    )
    for name, frames in zip(('one', 'two', 'three'), others, strict=True):
        if name in PLANTED:
            start = int(PLANTED[name][0] * FPS)
            frames[start : start + len(moment)] = moment
        write_video(root / 'videos' / f'{name}.mp4', frames, FPS)
    write_video(root / 'moment.mp4', moment, FPS)
    return root / 'videos'


@pytest.fixture(scope='session')
def extractor():
    return Extractor('twlv_small_synthetic', 'official', clip_seconds=CLIP, stride_seconds=0.5)


@pytest.fixture(scope='session')
def embedded(videos, extractor):
    """``<out>`` of npy and Parquet files, forward and reversed: its splits are npy and parquet."""
    for split in ('npy', 'parquet'):
        extract_collection(
            extractor, find_videos(videos), videos.parent / 'out', split,
            formats=[split], views=['forward', 'reversed'], workers=0,
        )  # fmt: skip
    return videos.parent / 'out'


def unit(*numbers):
    """Vectors along these angles in degrees."""
    return np.stack([np.cos(np.radians(numbers)), np.sin(np.radians(numbers))], axis=-1).astype(np.float32)
