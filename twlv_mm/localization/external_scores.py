"""Classifies proposals without classes by the scores that a classifier gave to whole videos."""

from pathlib import Path

import numpy as np
import torch

from twlv_mm.compat.pickles import load_pickle
from twlv_mm.records import checks, open_regular, parsing, read_json, read_npz

NORMS = ('l1', 'softmax', 'none', 'published')


class ExternalScores:
    """Gives proposals the classes that a classifier found in their video.

    A proposal becomes one segment of each of its video's ``top_k`` best classes, with the score sqrt(class score *
    proposal score). Ties are broken by the smaller label and by the order of the proposals.

    Files of scores:

    - json or pickle: ``{video_id: [C numbers]}``, in the order of the labels. A pickle may hold containers, numbers,
      numpy arrays and torch tensors only.
    - npz: an array (C,) under each video id.
    - json of ActivityNet: ``{"results": {video_id: [{"label": name, "score": number}]}}``, where classes that a video
      does not list have a score of 0, or ``{"class": [C names], "results": {video_id: [C numbers]}}``. Both need
      ``classes``.

    Video ids match with and without ActivityNet's prefix ``v_``.

    ``score_norm`` makes the scores of different videos comparable:

    - 'l1': each is divided by their sum, negative ones count as 0. The default, one rule for every video. The scores of
      THUMOS14's usual file are not probabilities (those of a video sum to anything up to 2), and a softmax of such
      small numbers makes all classes nearly equal.
    - 'softmax': for scores from before a softmax.
    - 'none': unchanged.
    - 'published': a bug of TWLV-I's evaluation code, for comparison with its figures. It applies the softmax only
      in videos with a score above 1 or below 0, whose segments thus rank below those of the others.

    Args:
        path (str | Path): File of scores: .json, .npz, .pkl or .pickle.
        classes (Sequence[str], optional): The C names, in the order of the labels.
        top_k (int): Classes of a video.
        score_norm (str): One of ``NORMS``.

    Source: ActionFormer (Zhang et al. 2022); ``top_k`` of TWLV-I's evaluation code.
    """

    def __init__(self, path, classes=None, top_k=2, score_norm='l1'):
        if score_norm not in NORMS:
            raise ValueError(f'score_norm must be one of {", ".join(NORMS)}; it is {score_norm!r}')
        self.path = Path(path)
        videos = _read(self.path, classes)
        scores = _table(self.path, videos, classes)
        self.num_classes = scores.shape[1]
        if not 1 <= top_k <= self.num_classes:
            raise ValueError(f'top_k={top_k} classes cannot be taken from the {self.num_classes} in {path}')
        scores = _normalized(self.path, scores, list(videos), score_norm)
        best = (-scores).argsort(axis=1, kind='stable')[:, :top_k]
        self._labels = torch.from_numpy(best)
        self._scores = torch.from_numpy(np.take_along_axis(scores, best, axis=1))
        self._rows = {video_id: row for row, video_id in enumerate(videos)}

    def __call__(self, video_id, segments, scores):
        """Classify P proposals: segments (P, 2) in any unit of time, scores (P,) from 0 to 1.

        Returns segments (P * top_k, 2), scores (P * top_k,) and labels (P * top_k,) int64, best first.
        """
        row = self._row(video_id)
        if row is None:
            raise ValueError(f'{self.path} has no scores of {video_id}: score this video too, or leave it out')
        labels, class_scores = self._labels[row].to(scores.device), self._scores[row].to(scores)
        fused = (scores[:, None] * class_scores).sqrt().flatten()
        fused, order = fused.sort(descending=True, stable=True)
        return segments[order // len(labels)], fused, labels[order % len(labels)]

    def _row(self, video_id):
        # The unchanged id first, as YouTube's ids may begin with v_ themselves.
        names = video_id, f'v_{video_id}', video_id.removeprefix('v_')
        return next((self._rows[name] for name in names if name in self._rows), None)


def _read(path, classes):
    """dict of video id -> scores of its classes."""
    if not path.is_file():
        raise FileNotFoundError(f'file of classifier scores {path} does not exist')
    suffix = path.suffix.lower()
    with parsing(f'{path} cannot be read as classifier scores'):
        if suffix == '.npz':
            content = read_npz(path)
        elif suffix in ('.pkl', '.pickle'):
            with open_regular(path) as file:
                content = load_pickle(file)
        elif suffix == '.json':
            content = read_json(path)
        else:
            raise ValueError('its suffix must be .json, .npz, .pkl or .pickle')
    if isinstance(content, dict) and isinstance(content.get('results'), dict):
        content = _in_order_of(classes, path, content)
    if not isinstance(content, dict) or not content:
        raise ValueError(
            f"{path} has no scores by video: give {{video_id: [a number for each class]}}, or ActivityNet's form, "
            '{"results": {video_id: [{"label": name, "score": number}]}}'
        )
    for video_id in content:
        checks.name(video_id, f'{path}, the id of a video')
    return content


def _in_order_of(classes, path, content):
    """ActivityNet's two forms as dict of video id -> scores of the classes."""
    if classes is None:
        raise ValueError(f'{path} has scores by class names: give classes, so that their labels are known')
    places = {name: place for place, name in enumerate(classes)}
    scores = {}
    for video_id, listed in content['results'].items():
        where = f'{path}, the scores of {video_id}'
        row = np.zeros(len(places))
        with parsing(where):
            if 'class' in content:
                pairs = list(zip(content['class'], listed, strict=True))
            else:
                pairs = [(entry['label'], entry['score']) for entry in listed]
        for name, score in pairs:
            if checks.name(name, where) not in places:
                raise ValueError(f'{where}: {name!r} is not among the {len(places)} classes')
            row[places[name]] = checks.number(score, where)
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError(f'{where}: a class has several scores; give one for the whole video')
        scores[video_id] = row
    return scores


def _table(path, videos, classes):
    """(V, C) float64."""
    rows, first = [], next(iter(videos))
    for video_id, values in videos.items():
        row = checks.array(values, f'{path}, the scores of {video_id}', 1)
        if classes is not None and len(row) != len(classes):
            raise ValueError(f'{path}: {video_id} has scores of {len(row)} classes, but there are {len(classes)}')
        if rows and len(row) != len(rows[0]):
            raise ValueError(
                f'{path}: {video_id} has scores of {len(row)} classes, {first} of {len(rows[0])}: give all videos '
                'scores of the same classes'
            )
        rows.append(row)
    return np.stack(rows)


def _normalized(path, scores, video_ids, norm):
    negative = scores.min(axis=1) < 0
    if norm == 'none' and negative.any():
        raise ValueError(
            f"{path}: {video_ids[negative.argmax()]} has scores below 0, which have no root with score_norm='none': "
            "choose 'softmax' or 'l1'"
        )
    if norm == 'l1':
        scores = np.maximum(scores, 0)
        empty = scores.sum(axis=1) == 0
        if empty.any():
            raise ValueError(
                f"{path}: {video_ids[empty.argmax()]} has no score above 0, which score_norm='l1' needs: choose "
                "'softmax' if these are scores from before a softmax, otherwise score the video again"
            )
        scores = scores / scores.sum(axis=1, keepdims=True)
    elif norm != 'none':
        rows = negative | (scores.max(axis=1) > 1) if norm == 'published' else slice(None)
        exponentials = np.exp(scores[rows] - scores[rows].max(axis=1, keepdims=True))
        scores[rows] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return scores
