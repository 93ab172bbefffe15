"""Datasets of frame labels: small ones to write, the real ones to unpack."""

import os
import tarfile
from pathlib import Path

import pytest

SHARED = os.environ.get('TWLV_SHARED')
needs_shared = pytest.mark.skipif(not SHARED, reason='TWLV_SHARED is not set: no label files of the real datasets')


def write_labels(root, videos, classes=('pour', 'stir', 'background'), **bundles):
    """Write a dataset.

    Args:
        root (Path): Where to.
        videos (dict[str, list[str]]): video id -> name of each frame's class.
        classes (Sequence[str]): Names of the classes.
        **bundles (list[str]): Name of a list, train1 say, -> its video ids; all in train1, if none.

    Returns:
        Path: ``root``.
    """
    for folder in ('groundTruth', 'splits'):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / 'mapping.txt').write_text(''.join(f'{label} {name}\n' for label, name in enumerate(classes)))
    for video_id, names in videos.items():
        (root / f'groundTruth/{video_id}.txt').write_text(''.join(f'{name}\n' for name in names))
    for bundle, video_ids in (bundles or dict(train1=list(videos))).items():
        path = root / f'splits/{bundle[:-1]}.split{bundle[-1]}.bundle'
        path.write_text(''.join(f'{video_id}.txt\n' for video_id in video_ids))
    return root


def unpack(name, folder):
    """Unpack 'GTEA', '50Salads' or 'Breakfast' into a folder; its data_root."""
    with tarfile.open(Path(SHARED, 'annotations/tas', f'{name}.tar.gz')) as archive:
        archive.extractall(folder, filter='data')
    return folder / name
