"""Annotations of actions in videos: THUMOS14's, ActivityNet's, and those of own data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twlv_mm.records import checks, names_beside, read_class_names, read_json, similar_names

# THUMOS14's label of moments that count neither for nor against a detector.
AMBIGUOUS = 'Ambiguous'
SAME = 1e-3  # seconds; TWLV-I's evaluation treats segments of a class as one if both ends are this close


class VideoAnnotation(NamedTuple):
    """The actions of a video."""

    duration: float | None  # seconds; None if the file does not say
    subset: str  # as in the file; '' if it does not say
    segments: np.ndarray  # (G, 2) float64, start and end in seconds, end > start
    labels: np.ndarray  # (G,) int64, indices of classes
    fps: float | None = None  # frames per second; None if the file does not say


@dataclass
class Annotations:
    """The actions of a dataset or a subset of it."""

    classes: tuple[str, ...]  # names of the C classes, by label
    videos: dict[str, VideoAnnotation]  # actions by video id, including videos without any
    notes: list[str] = field(default_factory=list)  # corrections and oddities of the file, a sentence each, for the log


def read_annotations(path, subset=None, classes=None):
    """Read a file of actions in videos.

    The format is recognised by the content. THUMOS14 (as in ActionFormer) and ActivityNet-1.3: ``{"database":
    {video_id: {"subset", "duration", "annotations": [{"label", "segment": [start, end], "label_id"}]}}}``, where
    ``label_id`` is optional. ActionFormer's copies also have ``fps``, OpenTAD's the number of frames, ``frame``. Own
    data: the same without ``database`` around it, or a list of such videos, each with its ``video_id``; ``subset`` and
    ``duration`` are optional::

        {"match_01": {"duration": 63.2, "subset": "train", "annotations": [{"label": "serve", "segment": [1.5, 2.8]}]}}

    Like the published evaluations, this keeps all actions of the file, even those that end or begin after their video,
    of which THUMOS14 has 30. Left out are repetitions (same class, start and end within 1 ms, as in the published
    evaluation code), segments without length (ActivityNet-1.3 has [0, 0] in ZZVrH3Hv1fM), and THUMOS14's 'Ambiguous',
    unless it is one of ``classes``. ``notes`` count all of these.

    Args:
        path (str | Path): A json file.
        subset (str, optional): The videos to read, such as 'Test', case-insensitive; all by default.
        classes (str | Path | Sequence[str], optional): Class names, or a file with one per line. By default those in
            ``classes.txt`` beside the file; without that, all classes of the file in the order of their ``label_id``,
            or else sorted.
    """
    path = Path(path)
    entries = _read_entries(path)
    given = names_beside(path) if classes is None else read_class_names(classes)
    ignored = {AMBIGUOUS} - set(given or ())
    found = _label_ids(path, entries, ignored)
    names = given or _order_names(path, found)
    notes = [f'{path}: {question}' for question in similar_names(names)]
    moved = [name for name, ids in found.items() if given and name in names and ids - {None, names.index(name)}]
    if moved:
        notes.append(
            f'{path}: label_id of {len(moved)} classes ({", ".join(moved[:3])}) differ from their indices in the given '
            'classes; the indices are used.'
        )
    places = {name: place for place, name in enumerate(names)}
    counts = dict(late=[], repeated=[], empty=[], ambiguous=[])
    videos = {
        video_id: _read_video(path, video_id, entry, places, ignored, counts)
        for video_id, entry in _choose(path, entries, subset).items()
    }
    return Annotations(tuple(names), videos, notes + _describe(path, counts))


def _read_entries(path):
    """dict of video id -> dict with a list of annotations."""
    if not path.exists():
        raise FileNotFoundError(f'annotation file {path} does not exist')
    content = read_json(path)
    entries = content.get('database', content) if isinstance(content, dict) else content
    if isinstance(entries, list):
        entries = _by_id(path, entries)
    if not isinstance(entries, dict) or not entries:
        wrong = 'no videos'
    else:
        wrong = next((f'another entry for {video_id!r}' for video_id, one in entries.items() if not _is_video(one)), '')
    if wrong:
        raise ValueError(
            f'{path} has none of the known formats: {{"database": {{video_id: video}}}} as in THUMOS14 and '
            'ActivityNet, {video_id: video}, or a list of videos with their video_id; each video is {"duration": '
            f'seconds, "subset": name, "annotations": [{{"label": name, "segment": [start, end]}}]}}. It has {wrong}'
        )
    for video_id, entry in entries.items():
        checks.name(video_id, f'{path}, the id of a video')
        for action in entry['annotations']:
            checks.name(action['label'], f'{path}, {video_id}, a label')
        if entry.get('subset') is not None:
            checks.instance(entry['subset'], str, f'{path}, {video_id}, its subset')
    return entries


def _by_id(path, listed):
    entries = {}
    for number, entry in enumerate(listed, 1):
        video_id = entry.get('video_id') if isinstance(entry, dict) else None
        checks.name(video_id, f'{path}, the video_id of entry {number}')
        if video_id in entries:
            raise ValueError(f'{path} has several videos {video_id!r}: put all actions of a video into one entry')
        entries[video_id] = entry
    return entries


def _is_video(entry):
    actions = entry.get('annotations') if isinstance(entry, dict) else None
    return isinstance(actions, list) and all(
        isinstance(action, dict) and 'label' in action and 'segment' in action for action in actions
    )


def _label_ids(path, entries, ignored):
    """dict of class name -> set of its label_id in the file, None where one is missing."""
    ids = {}
    for video_id, entry in entries.items():
        for action in entry['annotations']:
            label_id = action.get('label_id')
            if label_id is not None:
                checks.count(label_id, f'{path}, {video_id}, a label_id')
            if action['label'] not in ignored:
                ids.setdefault(action['label'], set()).add(label_id)
    return ids


def _order_names(path, found):
    """Names in the order of their label_id, or sorted if none has any."""
    if not found:
        raise ValueError(f'{path} has no actions, so its classes are not known: give classes')
    named = {name: ids - {None} for name, ids in found.items()}
    if not any(named.values()):
        return sorted(found)
    wrong = next((name for name, ids in named.items() if len(ids) != 1), None)
    if wrong is not None:
        raise ValueError(
            f'{path}: {wrong!r} has {len(named[wrong])} label_id ({sorted(named[wrong])}), each class needs one: '
            'correct them, or give classes'
        )
    places = {}
    for name, (place,) in named.items():
        if place in places:
            raise ValueError(
                f'{path}: {places[place]!r} and {name!r} have the same label_id {place}: correct it, or give classes'
            )
        places[place] = name
    gap = next((place for place in range(len(places)) if place not in places), None)
    if gap is not None:
        raise ValueError(
            f'{path} names {len(places)} classes with label_id up to {max(places)}, but none with {gap}: give classes, '
            'so that the labels are known'
        )
    return [places[place] for place in range(len(places))]


def _choose(path, entries, subset):
    if subset is None:
        return entries
    chosen = {id_: entry for id_, entry in entries.items() if (entry.get('subset') or '').lower() == subset.lower()}
    if not chosen:
        there = sorted({entry['subset'] for entry in entries.values() if entry.get('subset')})
        shown = f'there are {", ".join(map(repr, there))}' if there else 'its videos have none; leave subset out'
        raise ValueError(f'{path} has no video of the subset {subset!r}; {shown}')
    return chosen


def _read_video(path, video_id, entry, places, ignored, counts):
    duration = entry.get('duration')
    if duration is not None:
        duration = checks.time(duration, f'{path}, {video_id}, its duration')
        if not duration:
            raise ValueError(f'{path}, {video_id}, its duration: 0 s is not possible: correct it or leave it out')
    fps = entry.get('fps')
    if fps is None and duration and entry.get('frame') is not None:
        fps = checks.count(entry['frame'], f'{path}, {video_id}, its frame', least=1) / duration
    if fps is not None:
        checks.number(fps, f'{path}, {video_id}, its frames per second', least=1e-3, most=1e6)
    segments, labels = [], []
    for action in entry['annotations']:
        name, segment = action['label'], action['segment']
        if not isinstance(segment, list) or len(segment) != 2:
            raise ValueError(f'{path}: {video_id} has {name!r} at {checks.shown(segment)}, not [start, end] in seconds')
        start, end = (checks.time(edge, f'{path}, {video_id}, a segment of {name!r}') for edge in segment)
        if name in ignored:
            counts['ambiguous'].append(video_id)
            continue
        if name not in places:
            raise ValueError(
                f'{path}: {video_id} has the label {name!r}, which is not among the {len(places)} classes: add it to '
                'classes (or classes.txt beside the file), or correct the label'
            )
        if start == end:
            counts['empty'].append(video_id)
            continue
        if start > end:
            raise ValueError(
                f'{path}: {video_id} has {name!r} from {start:g} to {end:g} s, which does not end after it starts: '
                'correct or remove it'
            )
        if any(
            label == places[name] and abs(start - s) <= SAME and abs(end - e) <= SAME
            for (s, e), label in zip(segments, labels, strict=True)
        ):
            counts['repeated'].append(video_id)
            continue
        if duration is not None and end > duration:
            counts['late'].append(video_id)
        segments.append((start, end))
        labels.append(places[name])
    return VideoAnnotation(
        duration=duration,
        subset=entry.get('subset') or '',
        segments=np.array(segments, np.float64).reshape(-1, 2),
        labels=np.array(labels, np.int64),
        fps=fps,
    )


def _describe(path, counts):
    sentences = dict(
        late='end after their video; tests count them, training cuts them or leaves them out',
        repeated='are repeated and count once',
        empty='have no length and are left out',
        ambiguous=f'are {AMBIGUOUS!r} and are left out',
    )
    notes = []
    for kind, sentence in sentences.items():
        if counts[kind]:
            videos = list(dict.fromkeys(counts[kind]))
            shown = ', '.join(videos[:3]) + (', …' if len(videos) > 3 else '')
            notes.append(f'{path}: {len(counts[kind])} actions of {len(videos)} videos ({shown}) {sentence}.')
    return notes
