"""predictions.json: what a model said of the videos of a test, beside their labels, as segments."""

import json
from pathlib import Path
from typing import NamedTuple

from .segments import segments_of

VERSION = 1
ENTRY = 'fps', 'num_frames', 'truth', 'predicted'


class Predictions(NamedTuple):
    """The contents of a file.

    Attributes:
        path (str): The file.
        classes (list[str]): Names of the classes.
        background (list[str]): Those of them that are no action.
        videos (dict[str, dict]): Of each video fps, num_frames, truth and predicted: lists of [label, first frame,
            frame after the last]; labels are places in ``classes``. Frames without a label are in no segment.
    """

    path: str
    classes: list
    background: list
    videos: dict


def video_entry(fps, truth, predicted):
    """What the file says of a video.

    Args:
        fps (float): Frames a second.
        truth (ndarray): (F,) int label of each frame, -100 where there is none.
        predicted (ndarray): (F,) int.

    Returns:
        dict: fps, num_frames, truth, predicted.
    """
    return dict(
        fps=float(fps),
        num_frames=len(truth),
        truth=segments_of(truth).tolist(),
        predicted=segments_of(predicted).tolist(),
    )


def write_predictions(path, classes, background, videos):
    """Write a file.

    Args:
        path (str | Path): The file.
        classes (Sequence[str]): See :class:`Predictions`.
        background (Sequence[str]): See there.
        videos (dict[str, dict]): Of each video what :func:`video_entry` gives.
    """
    contents = dict(version=VERSION, classes=list(classes), background=list(background), videos=videos)
    Path(path).write_text(json.dumps(contents) + '\n', encoding='utf-8')


def read_predictions(path):
    """Read a file.

    Args:
        path (str | Path): The file.

    Returns:
        Predictions: what is in it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is none that a test of a segmentation model writes.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no file of predictions {path}')
    try:
        contents = json.loads(path.read_text(encoding='utf-8'))
        version = contents['version']
        videos = {id_: {name: video[name] for name in ENTRY} for id_, video in contents['videos'].items()}
        found = Predictions(str(path), contents['classes'], contents['background'], videos)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{path} is not the predictions.json that a test of a segmentation model writes into its log folder: '
            f'{error!r}'
        ) from error
    if version != VERSION:
        raise ValueError(f'{path} is of version {version!r}, and this program reads {VERSION}: run the test again')
    return found
