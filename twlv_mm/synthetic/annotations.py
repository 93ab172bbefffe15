"""Annotation files of generated videos, in the formats of THUMOS14, of 50Salads and GTEA, and of AVA."""

import json
import pickle

import numpy as np

from twlv_mm.records import write_bytes, write_text

BACKGROUND = 'background'
# On THUMOS14, models are trained on the validation videos.
SUBSETS = dict(train='Validation', test='Test')


def write_thumos(path, videos, classes, fps):
    """Write actions in THUMOS14's JSON format, with the classes in the order of ``label_id``.

    ``videos`` are dicts: ``video`` (id), ``split`` ('train' or 'test'), ``num_frames`` and ``actions``, a list of
    class, first frame and end frame (exclusive).
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
    """Write actions in the format of 50Salads and GTEA; ``videos`` are as for :func:`write_thumos`.

    ``groundTruth/<video>.txt`` with the name of a class, or 'background', for each frame; ``mapping.txt`` with lines
    ``<id> <name>``, background last; ``splits/{train,test}.split{1,2}.bundle`` with the names of the label files. Split
    2 exchanges training and test videos.
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
    """Write the names of AVA's actions, numbered from 1, as .pbtxt."""
    items = (f'item {{\n  name: "{name}"\n  id: {action_id}\n}}' for action_id, name in enumerate(actions, start=1))
    _write_lines(path, items)


def write_ava(folder, split, clips, actions):
    """Write the boxes of a split in AVA's format; boxes are fractions of the frame's width and height.

    - ``ava_<split>.csv``: video, time stamp, x1, y1, x2, y2, action, person; a row per person, action and keyframe.
    - ``ava_<split>_tubes.csv``: such a row, with action -1, per person and frame; time stamps with three decimals.
    - ``ava_<split>_excluded_timestamps.csv``: video and time stamp of keyframes with people but without rows.
    - ``ava_dense_proposals_<split>``: ``{'<video>,<time stamp>': (n, 5) x1, y1, x2, y2, score}``, as .pkl for mmaction2
      and as .json for readers that do not unpickle files.

    Args:
        folder (Path): Where to write.
        split (str): Part of the files' names.
        clips (list[dict]): ``video`` (id) and ``keyframes``: a list of ``timestamp`` (int), ``people`` (a list of box
            and names of actions), ``excluded`` (bool) and ``proposals`` (a list of box and score); ``frame_times`` (T
            seconds) and ``tracks``: T boxes for each person.
        actions (Sequence[str]): Names of the actions in the order of their ids, which start at 1.
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
    # Protocol 4, and arrays made here: arrays from another process would pickle to other bytes.
    arrays = {image: np.array(boxes) for image, boxes in proposals.items()}
    write_bytes(stem.with_suffix('.pkl'), pickle.dumps(arrays, protocol=4))


def _corners(box):
    return ','.join(f'{edge:.3f}' for edge in box)


def _write_lines(path, lines):
    write_text(path, ''.join(f'{line}\n' for line in lines))
