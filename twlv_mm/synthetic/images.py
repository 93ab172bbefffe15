"""Single frames by appearance, in ImageNet's folder layout."""

from pathlib import Path

import cv2

from twlv_mm.records import write_bytes

from .build import build, check_counts, item_rng
from .scene import SPLITS
from .trimmed import render_clip

FOLDERS = dict(train='train', test='val')  # ImageNet's names


def make_images(folder, seed=0, num_train=2000, num_test=400, workers=None):
    """Write ``train/<appearance>/<number>.png`` and ``val/<appearance>/<number>.png``, 64 x 64 pixels.

    Args:
        folder (str): Where to.
        seed (int): The same seed gives the same bytes.
        num_train (int): Training images.
        num_test (int): Images in ``val``; they share no colours, grains and backgrounds with the training images.
        workers (int, optional): Processes; see :func:`twlv_mm.synthetic.build`.

    Returns:
        bool: whether anything had to be written.

    Raises:
        FolderError: if the folder holds something else.
        ValueError: if a number is less than 1.
    """
    check_counts(num_train=num_train, num_test=num_test)
    jobs = [
        (write_image, dict(folder=str(folder), seed=seed, split=split, index=index))
        for split, number in zip(SPLITS, (num_train, num_test), strict=True)
        for index in range(number)
    ]
    settings = dict(set='images', seed=seed, num_train=num_train, num_test=num_test)
    return build(folder, jobs, settings=settings, annotate=lambda images: None, workers=workers)


def write_image(folder, seed, split, index):
    """Write one image of the set; the job of :func:`make_images`."""
    frames, appearance, _ = render_clip(item_rng(seed, split, index), split, num_frames=1)
    path = Path(folder) / FOLDERS[split] / appearance / f'{index:05d}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, cv2.imencode('.png', frames[0][..., ::-1])[1])
    return {}
