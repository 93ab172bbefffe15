"""Checks of a dataset in AVA's format: its videos, boxes, actions, proposals and tubes."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from twlv_mm.video import VideoError

from .ava_annotations import MILLISECONDS, read_action_names, read_ava_csv
from .ava_dataset import count_frames
from .keyframes import has_area, image_keys
from .transforms import boxes_at, file_header, keyframe_index

# Share of the image by which a box may pass its edge: AVA's csv has three decimals.
ROUNDING = 0.005
# A keyframe's box in a tube may be that of a nearby frame: half a frame at 10 frames per second.
KEYFRAME_SECONDS = 0.05
SHOWN = 5


class DataReport(NamedTuple):
    """Findings of a check, a sentence each."""

    errors: list[str]  # what makes a run wrong, or stops it later
    warnings: list[str]  # what is left out, and other notes


def check_dataset(dataset, num_classes=()):
    """Check a dataset; opens every video once, and reads the csv again.

    Errors are: missing or unreadable videos, keyframes without proposals (with ``skip_missing``, missing videos and
    proposals are left out instead), keyframes outside of their video, boxes and proposals outside the image,
    proposals that end before they start, persons without a tube at their keyframe, another number of classes than the
    model's. Warnings are: boxes without area, actions that are not in the list of actions, keyframes without any box
    left.

    Args:
        dataset (AVAVideoDataset): The dataset.
        num_classes (Collection[int]): The ``num_classes`` of the parts of the model.

    Returns:
        DataReport: each finding with its count and the first names.
    """
    rows, names = read_ava_csv(dataset.ann_file), read_action_names(dataset.label_file)
    errors = [
        *_check_classes(dataset, names, num_classes),
        *_check_videos(dataset),
        *_check_proposals(dataset),
        *_check_outside(dataset.ann_file, rows),
        *_check_tubes(dataset),
    ]
    return DataReport(errors, _notes(dataset, rows, names))


def _check_classes(dataset, names, num_classes):
    for number in sorted(set(num_classes) - {dataset.num_classes}):
        listed = f'{len(names)} actions with ids from {min(names)} to {max(names)}'
        yield (
            f'the model has num_classes={number}, but {dataset.label_file} has {listed}, which makes '
            f'{dataset.num_classes} with the unused column 0: set num_classes={dataset.num_classes} in the model, or '
            'give the list of the actions it should learn'
        )


def _check_videos(dataset):
    missing = [id_ for id_, path in dataset.videos.items() if path is None]
    if missing and not dataset.skip_missing:
        lost = sum(dataset.videos[video_id] is None for video_id, _ in dataset.keyframes.images)
        yield (
            f'{dataset.data_prefix["img"]} has no file of {_some(missing, dataset.videos)} videos of '
            f'{dataset.ann_file}, and with them {lost} of {len(dataset.keyframes.images)} keyframes: get them, or set '
            'skip_missing=True'
        )
    lengths, unreadable = _lengths(dataset)
    if unreadable:
        yield (
            f'{len(unreadable)} videos cannot be read: {"; ".join(unreadable[:SHOWN])}{_more(unreadable)}. Get them '
            'again, or remove them and set skip_missing=True'
        )
    outside = [
        (video_id, milliseconds / MILLISECONDS)
        for video_id, milliseconds in dataset.keyframes.images
        if video_id in lengths and not _is_inside(dataset, milliseconds / MILLISECONDS, *lengths[video_id])
    ]
    if outside:
        (video_id, timestamp), start = outside[0], dataset.offset_seconds
        fps, num_frames = lengths[video_id]
        yield (
            f'{len(outside)} of {len(dataset.keyframes.images)} keyframes of {dataset.ann_file} are not within their '
            f'video, in {_some(list(dict.fromkeys(id_ for id_, _ in outside)), lengths)} videos. {video_id} lasts '
            f'{num_frames / fps:g} s, from {start:g} to {start + num_frames / fps:g} s of the film with '
            f'offset_seconds={start:g}, and has a keyframe at {timestamp:g} s: set offset_seconds to the time in the '
            'film of the first frame (900 for the usual cuts of AVA, 0 for whole films), or get the version of the '
            'video that was annotated'
        )


def _lengths(dataset):
    """(frames per second, frames) of each video, and the errors of unreadable ones."""

    def read(path):
        try:
            return (dataset.fps, count_frames(path, dataset.filename_tmpl)) if dataset.use_frames else file_header(path)
        except (VideoError, FileNotFoundError) as error:
            return str(error)

    present = {id_: path for id_, path in dataset.videos.items() if path is not None}
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(present, pool.map(read, present.values()), strict=True))
    unreadable = [length for length in found.values() if isinstance(length, str)]
    return {id_: length for id_, length in found.items() if not isinstance(length, str)}, unreadable


def _is_inside(dataset, timestamp, fps, num_frames):
    try:
        keyframe_index(dict(timestamp=timestamp, offset_seconds=dataset.offset_seconds), fps, num_frames)
    except ValueError:
        return False
    return True


def _check_proposals(dataset):
    if dataset.proposals is None:
        return
    images = dataset.keyframes.images
    missing = [_name(image) for image in images if image not in dataset.proposals]
    if missing and not dataset.skip_missing:
        yield (
            f'{dataset.proposal_file} has no proposals of {_some(missing, images)} keyframes '
            f'({100 * len(missing) / len(images):.1f} %) of {dataset.ann_file}: run the person detector on them, give '
            'the proposals of this split, or set skip_missing=True'
        )
    found = [image for image in images if image in dataset.proposals]
    outside = [_name(image) for image in found if _is_outside(dataset.proposals[image][:, :4]).any()]
    if outside:
        yield (
            f'{dataset.proposal_file} has proposals outside the image at {_some(outside, found)} keyframes: they '
            'must be normalised to [0, 1], not pixels'
        )
    backwards = [_name(image) for image in found if _is_backwards(dataset.proposals[image]).any()]
    if backwards:
        yield (
            f'{dataset.proposal_file} has proposals that end before they start at {_some(backwards, found)} keyframes: '
            'they must be x1, y1, x2, y2, not x, y, width, height'
        )


def _check_outside(path, rows):
    outside = np.flatnonzero(_is_outside(rows.boxes))
    if len(outside):
        row = outside[0]
        box = ', '.join(f'{edge:g}' for edge in rows.boxes[row])
        yield (
            f'{len(outside)} of {len(rows.videos)} rows of {path} have a box outside the image, the first is '
            f'{box} of {rows.videos[row]} at {rows.timestamps[row]:g} s: boxes must be normalised to '
            '[0, 1], not pixels'
        )


def _is_outside(boxes):
    # NaN, a row without a box, compares as False.
    return ((boxes < -ROUNDING) | (boxes > 1 + ROUNDING)).any(axis=-1)


def _is_backwards(boxes):
    return (boxes[:, 2:4] < boxes[:, :2]).any(axis=1)


def _check_tubes(dataset):
    if dataset.tracks is None:
        return
    keyframes, without = dataset.keyframes, []
    for image, first, last in zip(keyframes.images, keyframes.box_edges, keyframes.box_edges[1:], strict=False):
        for person in keyframes.persons[first:last].tolist():
            track = dataset.tracks.get((image[0], person))
            time = np.array([image[1] / MILLISECONDS])
            if track is None or not boxes_at(track, time, KEYFRAME_SECONDS)[1].all():
                without.append(f'{_name(image)} person {person}')
    if without:
        yield (
            f'{dataset.tube_file} has no box at the keyframe of {_some(without, keyframes.boxes)} persons of '
            f'{dataset.ann_file}: the ids of persons must be the same in both files, and keyframes must have '
            'boxes, too'
        )


def _notes(dataset, rows, names):
    notes = []
    empty = np.flatnonzero(~has_area(rows.boxes) & ~np.isnan(rows.boxes).any(axis=1))
    if len(empty):
        row = empty[0]
        notes.append(
            f'{len(empty)} rows of {dataset.ann_file} have a box without area and are left out, the first is of '
            f'{rows.videos[row]} at {rows.timestamps[row]:g} s.'
        )
    ids, counts = np.unique(rows.actions[rows.actions >= 0], return_counts=True)
    unlisted = {id_: count for id_, count in zip(ids.tolist(), counts.tolist(), strict=True) if id_ not in names}
    if unlisted:
        notes.append(
            f'{dataset.ann_file} has {len(ids)} actions and {dataset.label_file} {len(names)}: '
            f'{sum(unlisted.values())} rows of the ids {", ".join(map(str, list(unlisted)[:SHOWN]))}{_more(unlisted)} '
            'are left out, in training and in tests. (AVA has 80 actions, its challenge counts 60.)'
        )
    lost = len(set(image_keys(rows))) - len(dataset.keyframes.images)
    if lost:
        notes.append(f'{lost} keyframes of {dataset.ann_file} have no box that counts, or are excluded.')
    return notes


def _name(image):
    return f'{image[0]},{image[1] / MILLISECONDS:g}'


def _some(names, of):
    return f'{len(names)} of {len(of)} ({", ".join(names[:SHOWN])}{_more(names)})'


def _more(names):
    return ', …' if len(names) > SHOWN else ''
