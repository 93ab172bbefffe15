"""predictions.json: predictions and labels of the videos of a test, as segments."""

from pathlib import Path
from typing import NamedTuple

from twlv_mm.records import checks, parsing, read_json, write_json

from .segments import segments_of

VERSION = 1
ENTRY = 'fps', 'num_frames', 'truth', 'predicted'


class Predictions(NamedTuple):
    """The contents of a file."""

    path: str  # the file
    classes: list[str]  # names of the classes
    background: list[str]  # those of them that are background
    # for each video fps, num_frames, truth and predicted: lists of [label, first frame, frame after the last]; labels
    # are indices of ``classes``. Frames without a label are in no segment
    videos: dict[str, dict]


def video_entry(fps, truth, predicted):
    """The entry of a video, from its (F,) true labels (-100: not annotated) and its (F,) predicted labels."""
    return dict(
        fps=float(fps),
        num_frames=len(truth),
        truth=segments_of(truth).tolist(),
        predicted=segments_of(predicted).tolist(),
    )


def write_predictions(path, classes, background, videos):
    """Write a file; see :class:`Predictions`."""
    contents = dict(version=VERSION, classes=list(classes), background=list(background), videos=videos)
    write_json(path, contents, indent=None)


def read_predictions(path):
    """Read a file as :class:`Predictions`; ValueError if a test of a segmentation model did not write it."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'file of predictions {path} does not exist')
    with parsing(f'{path} is not the predictions.json that a test of a segmentation model writes into its log folder'):
        contents = read_json(path, dict)
        version = contents['version']
        for kind, names in (('class', contents['classes']), ('background', contents['background'])):
            for name in checks.instance(names, list, kind):
                checks.name(name, f'a {kind}')
        videos = {id_: _video(id_, video, len(contents['classes'])) for id_, video in contents['videos'].items()}
        found = Predictions(str(path), contents['classes'], contents['background'], videos)
    if version != VERSION:
        raise ValueError(f'{path} has version {version!r}; only {VERSION} is supported: run the test again')
    return found


def _video(video_id, video, num_classes):
    """Check the entry of a video, whose segments must be within it, one after the other."""
    checks.name(video_id, 'the id of a video')
    frames = checks.count(video['num_frames'], f'{video_id}, its num_frames', least=1)
    checks.number(video['fps'], f'{video_id}, its fps', least=1e-3, most=1e6)
    for kind in ('truth', 'predicted'):
        last = 0
        for segment in checks.instance(video[kind], list, f'{video_id}, its {kind}'):
            label, start, end = checks.instance(segment, list, f'{video_id}, a segment')
            checks.count(label, f'{video_id}, a label', most=num_classes - 1)
            checks.count(start, f'{video_id}, a start', least=last, most=frames - 1)
            last = checks.count(end, f'{video_id}, an end', least=start + 1, most=frames)
    return {name: video[name] for name in ENTRY}
