"""Which actions happen when: THUMOS14's and ActivityNet's annotations, and those of own data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twlv_mm.records import checks, names_beside, read_class_names, read_json

# THUMOS14's mark of moments that count neither for nor against a detector.
AMBIGUOUS = 'Ambiguous'
# The published evaluation takes segments of a class for the same whose starts and ends are this close.
SAME = 1e-3  # seconds


class VideoAnnotation(NamedTuple):
    """The actions of a video.

    Attributes:
        duration (float | None): Seconds; None where the file does not say.
        subset (str): As the file has it; empty where it does not say.
        segments (ndarray): (G, 2) float64, start and end in seconds, end > start.
        labels (ndarray): (G,) int64, places in the classes.
        fps (float | None): Frames a second; None where the file does not say.
    """

    duration: float | None
    subset: str
    segments: np.ndarray
    labels: np.ndarray
    fps: float | None = None


@dataclass
class Annotations:
    """The actions of a data set or a subset of it.

    Attributes:
        classes (tuple[str]): Names of the C classes; a place in it is the label.
        videos (dict[str, VideoAnnotation]): video id -> its actions, also of videos without any.
        notes (list[str]): What was put right or is odd in the file, a sentence each; for the log.
    """

    classes: tuple
    videos: dict
    notes: list = field(default_factory=list)


def read_annotations(path, subset=None, classes=None):
    """Read a file of actions in videos.

    The format is told by the content. THUMOS14 (as ActionFormer has it) and ActivityNet-1.3: ``{"database": {video_id:
    {"subset", "duration", "annotations": [{"label", "segment": [start, end], "label_id"}]}}}``, where ``label_id`` may
    lack. ActionFormer's copies have ``fps`` too, OpenTAD's the number of frames, ``frame``. Own data: the same without
    the ``database`` around it, or a list of such videos, each with its ``video_id``; ``subset`` and ``duration`` may
    lack::

        {"match_01": {"duration": 63.2, "subset": "train", "annotations": [{"label": "serve", "segment": [1.5, 2.8]}]}}

    The actions are those of the file, because the published evaluations count all of them: also those that end, or even
    begin, after their video, of which THUMOS14 has 30. Left out are repetitions (same class, start and end within 1 ms,
    as in the published evaluation code), segments without length (ActivityNet-1.3 has [0, 0] in ZZVrH3Hv1fM), and
    THUMOS14's 'Ambiguous', unless it is one of ``classes``. ``notes`` count all of these.

    Args:
        path (str | Path): A json file.
        subset (str, optional): The videos to take, 'Test' say, in upper or lower case; all if None.
        classes (str | Path | Sequence[str], optional): The names of the classes, or a file of them, one a line. If
            None, those in ``classes.txt`` beside the file; without that, the file's ``label_id`` order them, or else
            they are sorted; the whole file's, whatever the subset.

    Returns:
        Annotations: classes, videos, notes.

    Raises:
        FileNotFoundError: if there is no such file, or none of class names.
        ValueError: if the file has another format, a segment or duration is no proper time, a label is not among the
            classes, ``label_id`` contradict each other, or the subset has no videos.
    """
    path = Path(path)
    entries = _read_entries(path)
    given = names_beside(path) if classes is None else read_class_names(classes)
    ignored = {AMBIGUOUS} - set(given or ())
    found = _label_ids(path, entries, ignored)
    names = given or _order_names(path, found)
    notes = []
    moved = [name for name, ids in found.items() if given and name in names and ids - {None, names.index(name)}]
    if moved:
        notes.append(
            f'{path}: label_id of {len(moved)} classes ({", ".join(moved[:3])}) are not their places in the classes '
            'given; the places count.'
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
        raise FileNotFoundError(f'there is no annotation file {path}')
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
            f'{path} has neither of the known formats: {{"database": {{video_id: video}}}} as THUMOS14 and ActivityNet '
            'have it, {video_id: video}, or a list of videos with their video_id; each video is {"duration": seconds, '
            f'"subset": name, "annotations": [{{"label": name, "segment": [start, end]}}]}}. It has {wrong}'
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
    """dict of class name -> set of the label_id that the file gives it; None where it gives none."""
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
    """Names in the order of their label_id, or of the alphabet where none has any."""
    if not found:
        raise ValueError(f'{path} has no action at all, so its classes are not known: give classes')
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
        checks.number(fps, f'{path}, {video_id}, its frames a second', least=1e-3, most=1e6)
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
                'correct it or take it out'
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
        repeated='are written twice and count once',
        empty='end when they begin and are left out',
        ambiguous=f'are {AMBIGUOUS!r} and are left out',
    )
    notes = []
    for kind, sentence in sentences.items():
        if counts[kind]:
            videos = list(dict.fromkeys(counts[kind]))
            shown = ', '.join(videos[:3]) + (', …' if len(videos) > 3 else '')
            notes.append(f'{path}: {len(counts[kind])} actions of {len(videos)} videos ({shown}) {sentence}.')
    return notes
