"""Groups the rows of AVA's csv into boxes of keyframes, and into tracks of persons."""

from typing import NamedTuple

import numpy as np

from .ava_annotations import MILLISECONDS


class Keyframes(NamedTuple):
    """Keyframes with their boxes and actions, as flat arrays that worker processes share."""

    images: list[tuple[str, int]]  # K keyframes: the video, and milliseconds of the film
    box_edges: np.ndarray  # (K + 1,) int64: keyframe k has the boxes from box_edges[k] to box_edges[k + 1]
    boxes: np.ndarray  # (B, 4) float32 x1, y1, x2, y2 normalised to [0, 1]
    persons: np.ndarray  # (B,) int64 ids, -1 where unknown
    action_edges: np.ndarray  # (B + 1,) int64: box b has the actions from action_edges[b] to action_edges[b + 1]
    actions: np.ndarray  # (A,) int64 ids

    @property
    def video_ids(self):
        return list(dict.fromkeys(video_id for video_id, _ in self.images))

    def boxes_of(self, place, num_classes):
        """Boxes of a keyframe: gt_bboxes (n, 4) and gt_labels (n, num_classes), float32; entity_ids (n,) int64."""
        first, last = self.box_edges[place : place + 2]
        edges = self.action_edges[first : last + 1]
        labels = np.zeros((last - first, num_classes), np.float32)
        labels[np.repeat(np.arange(last - first), np.diff(edges)), self.actions[edges[0] : edges[-1]]] = 1
        return dict(
            gt_bboxes=self.boxes[first:last].copy(), gt_labels=labels, entity_ids=self.persons[first:last].copy()
        )


def has_area(boxes):
    """Whether boxes (..., 4) x1, y1, x2, y2 have an area; False also for NaN."""
    return (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])


def group_keyframes(rows, actions, excluded=()):
    """Gather rows by keyframe and box, in the order of first rows.

    Rows without a box with an area, with an action that does not count, or an excluded time stamp are left out. Rows of
    the same box at the same keyframe are one person's, as in mmaction2.

    Args:
        rows (AVABoxes): The csv.
        actions (Collection[int]): Ids of the actions that count.
        excluded (Collection[tuple[str, int]]): Keys of keyframes that do not count.
    """
    images = image_keys(rows)
    places = {}
    keyframe = np.fromiter((places.setdefault(image, len(places)) for image in images), np.int64, len(images))
    counts = np.array([image not in excluded for image in places], bool)
    kept = counts[keyframe] & has_area(rows.boxes) & np.isin(rows.actions, list(actions))
    keyframe, boxes, labels, persons = (x[kept] for x in (keyframe, rows.boxes, rows.actions, rows.persons))

    order = np.lexsort((*boxes.T, keyframe))
    same = (keyframe[order][1:] == keyframe[order][:-1]) & (boxes[order][1:] == boxes[order][:-1]).all(axis=1)
    sorted_group = np.cumsum(np.append(True, ~same)[: len(order)]) - 1
    group = np.empty(len(order), np.int64)
    group[order] = sorted_group
    # Keyframes are numbered by their first row; boxes in them come by theirs, actions in these by theirs.
    first_row = np.full(len(order), len(order))
    np.minimum.at(first_row, group, np.arange(len(order)))
    order = np.lexsort((first_row[group], keyframe))
    box_starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    box_keyframes = keyframe[order][box_starts]
    starts = np.flatnonzero(np.diff(box_keyframes, prepend=-1))
    names = list(places)
    return Keyframes(
        images=[names[place] for place in box_keyframes[starts].tolist()],
        box_edges=np.append(starts, len(box_starts)),
        boxes=boxes[order][box_starts],
        persons=persons[order][box_starts],
        action_edges=np.append(box_starts, len(order)),
        actions=labels[order],
    )


def group_tracks(rows):
    """Gather the boxes of persons over time; a person's rows at a time stamp have the same box.

    Returns:
        dict[tuple[str, int], tuple[ndarray, ndarray]]: video and person -> seconds of the film (k,) float64, ascending,
        and boxes (k, 4) float32.
    """
    if (rows.persons < 0).any():
        place = int((rows.persons < 0).argmax())
        raise ValueError(
            f'the boxes of tubes need the id of a person in every row, but one of {rows.videos[place]} at '
            f'{rows.timestamps[place]:g} s has none'
        )
    real = has_area(rows.boxes)
    videos = [video_id for video_id, kept in zip(rows.videos, real.tolist(), strict=True) if kept]
    timestamps, boxes, ids = (values[real] for values in (rows.timestamps, rows.boxes, rows.persons))
    places = {}
    persons = zip(videos, ids.tolist(), strict=True)
    track = np.fromiter((places.setdefault(person, len(places)) for person in persons), np.int64, len(videos))
    order = np.lexsort((timestamps, track))
    once = np.append(True, (np.diff(track[order]) > 0) | (np.diff(timestamps[order]) > 0))[: len(order)]
    order = order[once]
    edges = np.flatnonzero(np.diff(track[order])) + 1
    times, boxes = (np.split(values[order], edges) for values in (timestamps, boxes))
    return dict(zip(places, zip(times, boxes, strict=True), strict=True))


def image_keys(rows):
    """The :func:`~twlv_mm.detection.ava_annotations.image_key` of each row."""
    return list(zip(rows.videos, np.round(rows.timestamps * MILLISECONDS).astype(np.int64).tolist(), strict=True))
