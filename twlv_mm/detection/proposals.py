"""Boxes of a person detector at keyframes, as mmaction2 has them."""

from pathlib import Path

import numpy as np

from twlv_mm.compat.pickles import load_pickle
from twlv_mm.records import checks, open_regular, parsing, read_json

from .ava_annotations import image_key


def read_proposals(path):
    """Read proposals, ``{'<video>,<time stamp>': [[x1, y1, x2, y2, score], ...]}``; the score may be left out.

    Args:
        path (str | Path): .pkl, of which nothing but containers, numbers and arrays is read, or .json.

    Returns:
        dict[tuple[str, int], ndarray]: keyframe (as :func:`~twlv_mm.detection.ava_annotations.image_key` gives it) ->
        (m, 4 or 5) float32, best first as in the file. Keyframes with an empty list are left out.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it has another form.
        pickle.UnpicklingError: if a pickle asks for anything but data.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'there is no file of proposals {path}')
    with parsing(f'{path} cannot be read as proposals'):
        if path.suffix.lower() == '.json':
            content = read_json(path)
        else:
            with open_regular(path) as file:
                content = load_pickle(file)
    if not isinstance(content, dict) or not content:
        raise ValueError(
            f"{path} has no proposals: {{'<video>,<time stamp>': [[x1, y1, x2, y2, score], ...]}} is needed"
        )
    return {
        _key(path, name): boxes for name, rows in content.items() for boxes in [_boxes(path, name, rows)] if len(boxes)
    }


def choose_proposals(proposals, score_thr, max_number):
    """The proposals that are sure enough.

    Args:
        proposals (ndarray): (m, 4 or 5) boxes, and scores if there are any; m > 0.
        score_thr (float): Lowest score; the best stay in any case.
        max_number (int): The first so many.

    Returns:
        tuple[ndarray, ndarray | None]: (k, 4) boxes within the picture, 1 <= k <= m; (k,) scores.

    Source: mmaction2's AVADataset.
    """
    scores = None
    if proposals.shape[1] == 5:
        sure = proposals[:, 4] >= min(score_thr, proposals[:, 4].max())
        proposals = proposals[sure][:max_number]
        scores = proposals[:, 4]
    return proposals[:max_number, :4].clip(0, 1), scores


def _key(path, name):
    where = f"{path}, proposals, whose keys have to be '<video>,<time stamp>'"
    video_id, _, timestamp = checks.name(name, where).rpartition(',')
    return image_key(checks.name(video_id, where), checks.time_in(timestamp, where))


def _boxes(path, name, rows):
    if isinstance(rows, list | tuple | np.ndarray) and len(rows) == 0:
        return np.empty((0, 5), np.float32)
    boxes = checks.array(rows, f'{path}, the proposals of {name!r}', 2)
    if boxes.shape[1] not in (4, 5):
        raise ValueError(f'{path}, the proposals of {name!r}: there are {boxes.shape[1]} numbers, not 4 or 5')
    return boxes.astype(np.float32)
