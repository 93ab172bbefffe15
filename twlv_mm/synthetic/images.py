"""Single frames by appearance, in ImageNet's folder layout."""

from pathlib import Path

import cv2

from twlv_mm.records import write_bytes

from .build import build, check_counts, item_jobs, item_rng
from .trimmed import render_clip

FOLDERS = dict(train='train', test='val')  # ImageNet's names


def make_images(folder, seed=0, num_train=2000, num_test=400, workers=None):
    """Write ``train/<appearance>/<number>.png`` and ``val/<appearance>/<number>.png``, 64 x 64 pixels.

    Arguments and result are those of :func:`make_trimmed`.
    """
    check_counts(num_train=num_train, num_test=num_test)
    jobs = item_jobs(write_image, folder, seed, num_train, num_test)
    settings = dict(set='images', seed=seed, num_train=num_train, num_test=num_test)
    return build(folder, jobs, settings=settings, annotate=lambda images: None, workers=workers)


def write_image(folder, seed, split, index):
    frames, appearance, _ = render_clip(item_rng(seed, split, index), split, num_frames=1)
    path = Path(folder) / FOLDERS[split] / appearance / f'{index:05d}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, cv2.imencode('.png', frames[0][..., ::-1])[1])
    return {}
