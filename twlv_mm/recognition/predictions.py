"""predictions.json: the best classes for each test video, beside the true one."""

from pathlib import Path
from typing import NamedTuple

from twlv_mm.records import checks, parsing, read_json, write_json

VERSION = 1
BEST = 5  # classes kept per video


class Prediction(NamedTuple):
    """The predicted classes of a video or segment."""

    video_id: str  # the video
    truth: int  # index of the true class
    best: list[tuple[int, float]]  # indices and scores of the best classes, best first
    start: float | None = None  # start of a segment in seconds; None for a whole video
    end: float | None = None  # end of a segment in seconds


def write_predictions(path, classes, predictions):
    """Write the predictions (list[Prediction]) of a test with its class names."""
    samples = [
        dict(video_id=one.video_id, truth=one.truth, best=one.best)
        | ({} if one.start is None else dict(start=one.start, end=one.end))
        for one in predictions
    ]
    write_json(path, dict(version=VERSION, classes=list(classes), samples=samples), indent=None)


def read_predictions(path):
    """Read a file: list of class names, list of :class:`Prediction`."""
    path = Path(path)
    with parsing(f'{path} is not the predictions.json that a test of recognition writes into its log folder'):
        contents = read_json(path, dict)
        if contents['version'] != VERSION:
            raise ValueError(f'predictions.json has version {contents["version"]!r}; only {VERSION} is supported')
        classes = [checks.name(name, 'a class') for name in checks.instance(contents['classes'], list, 'classes')]
        samples = checks.instance(contents['samples'], list, 'samples')
        return classes, [_prediction(sample, len(classes)) for sample in samples]


def _prediction(sample, num_classes):
    video_id = checks.name(sample['video_id'], 'the id of a video')
    truth = checks.count(sample['truth'], f'{video_id}, its truth', most=num_classes - 1)
    best = [
        (
            checks.count(label, f'{video_id}, a class', most=num_classes - 1),
            checks.number(score, f'{video_id}, a score'),
        )
        for label, score in checks.instance(sample['best'], list, f'{video_id}, its best')
    ]
    if not best:
        raise ValueError(f'{video_id} has no predicted class')
    if 'start' not in sample:
        return Prediction(video_id, truth, best)
    return Prediction(
        video_id, truth, best, *(checks.time(sample[name], f'{video_id}, its {name}') for name in ('start', 'end'))
    )
