"""Writers of the annotation files that generated videos share with published data sets.

THUMOS14's json (localization), the text files of 50Salads and GTEA (segmentation), AVA's csv and the files that go with
it (boxes).
"""

import json
import pickle

import numpy as np

from twlv_mm.records import write_bytes, write_text

BACKGROUND = 'background'
# THUMOS14 is trained on its validation videos.
SUBSETS = dict(train='Validation', test='Test')


def write_thumos(path, videos, classes, fps):
    """Write actions as THUMOS14's json has them.

    Args:
        path (Path): A .json file.
        videos (list[dict]): ``video`` (its id), ``split`` ('train' or 'test'), ``num_frames`` and ``actions``: a list
            of class, first frame, frame after the last one.
        classes (Sequence[str]): Names of the classes; a place in it is the ``label_id``.
        fps (int): Frames a second.
    """
    database = {}
    for video in videos:
        annotations = [
            {
                'label': name,
                'segment': [start / fps, end / fps],
                'segment(frames)': [float(start), float(end)],
                'label_id': classes.index(name),
            }
            for name, start, end in video['actions']
        ]
        database[video['video']] = dict(
            subset=SUBSETS[video['split']],
            duration=video['num_frames'] / fps,
            fps=float(fps),
            annotations=annotations,
        )
    write_text(path, json.dumps(dict(version=f'Synthetic-{fps}fps', database=database)))


def write_frame_labels(folder, videos, classes):
    """Write actions as 50Salads and GTEA have them.

    ``groundTruth/<video>.txt`` with the name of a class, or 'background', for each frame; ``mapping.txt`` with lines
    ``<id> <name>``, background last; ``splits/{train,test}.split{1,2}.bundle`` with the names of the label files: split
    1 trains on the training videos, split 2 the other way round, so that no split tests what it has trained on.

    Args:
        folder (Path): Where to.
        videos (list[dict]): As for :func:`write_thumos`.
        classes (Sequence[str]): Names of the classes without background; a place in it is the class's id.
    """
    (folder / 'groundTruth').mkdir(exist_ok=True)
    (folder / 'splits').mkdir(exist_ok=True)
    files = dict(train=[], test=[])
    for video in videos:
        labels = [BACKGROUND] * video['num_frames']
        for name, start, end in video['actions']:
            labels[start:end] = [name] * (end - start)
        file = f'{video["video"]}.txt'
        _write_lines(folder / 'groundTruth' / file, labels)
        files[video['split']].append(file)
    _write_lines(folder / 'mapping.txt', (f'{i} {name}' for i, name in enumerate([*classes, BACKGROUND])))
    for number, (train, test) in enumerate((('train', 'test'), ('test', 'train')), start=1):
        _write_lines(folder / f'splits/train.split{number}.bundle', files[train])
        _write_lines(folder / f'splits/test.split{number}.bundle', files[test])


def write_action_list(path, actions):
    """Write the names of AVA's actions, numbered from 1.

    Args:
        path (Path): A .pbtxt file.
        actions (Sequence[str]): Names, in the order of their ids.
    """
    items = (f'item {{\n  name: "{name}"\n  id: {action_id}\n}}' for action_id, name in enumerate(actions, start=1))
    _write_lines(path, items)


def write_ava(folder, split, clips, actions):
    """Write the boxes of a split as AVA has them.

    ``ava_<split>.csv`` with a row for each action of each person at each keyframe: video, time stamp, x1, y1, x2, y2,
    action, person. ``ava_<split>_tubes.csv`` with such a row, its action -1, for each person at each frame, time stamps
    to a thousandth of a second. ``ava_<split>_excluded_timestamps.csv`` with video, time stamp of the keyframes that
    have no rows although there are people. The proposals, ``{'<video>,<time stamp>': (n, 5) x1, y1, x2, y2, score}``,
    as ``ava_dense_proposals_<split>.pkl`` for mmaction2 and, for readers that rightly do not unpickle a file, as .json.
    Boxes are shares of the frame's width and height.

    Args:
        folder (Path): Where to.
        split (str): Part of the files' names.
        clips (list[dict]): ``video`` (its id) and ``keyframes``: a list of ``timestamp`` (int), ``people`` (a list of
            box and names of actions), ``excluded`` (bool) and ``proposals`` (a list of box and score); ``frame_times``
            (T seconds) and ``tracks``: for each person its T boxes.
        actions (Sequence[str]): Names of the actions, in the order of their ids, which start at 1.
    """
    rows, tubes, excluded, proposals = [], [], [], {}
    for clip in clips:
        for person, boxes in enumerate(clip['tracks']):
            tubes += [
                f'{clip["video"]},{time:.3f},{_corners(box)},-1,{person}'
                for time, box in zip(clip['frame_times'], boxes, strict=True)
            ]
        for keyframe in clip['keyframes']:
            image = f'{clip["video"]},{keyframe["timestamp"]:04d}'
            proposals[image] = [[*box, score] for box, score in keyframe['proposals']]
            if keyframe['excluded']:
                excluded.append(image)
                continue
            for person, (box, names) in enumerate(keyframe['people']):
                rows += [f'{image},{_corners(box)},{actions.index(name) + 1},{person}' for name in names]
    _write_lines(folder / f'ava_{split}.csv', rows)
    _write_lines(folder / f'ava_{split}_tubes.csv', tubes)
    _write_lines(folder / f'ava_{split}_excluded_timestamps.csv', excluded)
    stem = folder / f'ava_dense_proposals_{split}'
    write_text(stem.with_suffix('.json'), json.dumps(proposals))
    # Protocol 4, and arrays made here: what comes back from another process pickles to other bytes.
    arrays = {image: np.array(boxes) for image, boxes in proposals.items()}
    write_bytes(stem.with_suffix('.pkl'), pickle.dumps(arrays, protocol=4))


def _corners(box):
    return ','.join(f'{edge:.3f}' for edge in box)


def _write_lines(path, lines):
    write_text(path, ''.join(f'{line}\n' for line in lines))
