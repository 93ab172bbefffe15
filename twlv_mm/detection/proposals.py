"""Boxes of a person detector at keyframes, in mmaction2's format."""

from pathlib import Path

import numpy as np

from twlv_mm.compat.pickles import load_pickle
from twlv_mm.records import checks, open_regular, parsing, read_json

from .ava_annotations import image_key


def read_proposals(path):
    """Read proposals, ``{'<video>,<time stamp>': [[x1, y1, x2, y2, score], ...]}``; the score is optional.

    Args:
        path (str | Path): .json, or .pkl with nothing but containers, numbers and arrays.

    Returns:
        dict[tuple[str, int], ndarray]: keyframe (see :func:`~twlv_mm.detection.ava_annotations.image_key`) -> (m, 4 or
        5) float32, best first as in the file. Keyframes with an empty list are left out.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'file of proposals {path} does not exist')
    with parsing(f'{path} cannot be read as proposals'):
        if path.suffix.lower() == '.json':
            content = read_json(path)
        else:
            with open_regular(path) as file:
                content = load_pickle(file)
    if not isinstance(content, dict) or not content:
        raise ValueError(
            f"{path} has no proposals: it must hold {{'<video>,<time stamp>': [[x1, y1, x2, y2, score], ...]}}"
        )
    return {
        _key(path, name): boxes for name, rows in content.items() for boxes in [_boxes(path, name, rows)] if len(boxes)
    }


def choose_proposals(proposals, score_thr, max_number):
    """Select the proposals (m, 4 or 5) with a score of at least ``score_thr``, or else the best, as in mmaction2.

    Returns at most ``max_number`` boxes (k, 4) within the image, and scores (k,) or None.
    """
    scores = None
    if proposals.shape[1] == 5:
        sure = proposals[:, 4] >= min(score_thr, proposals[:, 4].max())
        proposals = proposals[sure][:max_number]
        scores = proposals[:, 4]
    return proposals[:max_number, :4].clip(0, 1), scores


def _key(path, name):
    where = f"{path}, proposals, whose keys must be '<video>,<time stamp>'"
    video_id, _, timestamp = checks.name(name, where).rpartition(',')
    return image_key(checks.name(video_id, where), checks.time_in(timestamp, where))


def _boxes(path, name, rows):
    if isinstance(rows, list | tuple | np.ndarray) and len(rows) == 0:
        return np.empty((0, 5), np.float32)
    boxes = checks.array(rows, f'{path}, the proposals of {name!r}', 2)
    if boxes.shape[1] not in (4, 5):
        raise ValueError(f'{path}, the proposals of {name!r}: there are {boxes.shape[1]} numbers, not 4 or 5')
    return boxes.astype(np.float32)
