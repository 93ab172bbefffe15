"""Frame mAP of boxes with actions, as AVA's, with a table by class and AVA's file of predictions."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from twlv_mm.records import log_folder, write_class_precision, writing
from twlv_mm.registry import METRICS

from .ava_annotations import MILLISECONDS, image_key, read_action_names, read_ava_csv, read_excluded
from .average_precision import TABLE_HEADER, average_precision, first_hits, pair_iou
from .keyframes import image_keys


class _Found(NamedTuple):
    """Predictions at a keyframe: K boxes with P actions, by class and best first."""

    key: tuple  # of image_key
    boxes: np.ndarray  # (K, 4) float32
    places: np.ndarray  # (P,) uint16, of the box
    classes: np.ndarray  # (P,) uint16, place of the class among the classes
    scores: np.ndarray  # (P,) float32
    hits: np.ndarray  # (P,) bool


@METRICS.register_module()
class FrameMAP(BaseMetric):
    """Mean average precision over the actions, of boxes at keyframes: ``mAP@0.5``, from 0 to 1.

    The numbers are those of mmaction2's AVAMetric, except that an action that is annotated and never predicted counts
    as 0 here, and is left out there. As there, boxes and scores are rounded to four decimals, so that the file of
    predictions gives the same number; predictions at keyframes without annotated actions do not count; ties in score
    within an image are broken by the order of the predictions. Every annotated keyframe that is not excluded counts:
    all is missed at those without predictions, and the log warns of them.

    Written into the folder of the run's log: ``class_ap.csv`` (a line per class; also printed to the log), and
    ``predictions.csv`` and ``truth.csv`` in AVA's format: video, time stamp, x1, y1, x2, y2, action, and a score in the
    former.

    In a config::

        val_evaluator = dict(
            type='twlv_mm.FrameMAP', ann_file='data/ava/annotations/ava_val_v2.2.csv',
            exclude_file='data/ava/annotations/ava_val_excluded_timestamps_v2.2.csv',
            label_file='data/ava/annotations/ava_action_list_v2.2_for_activitynet_2019.pbtxt')

    Args:
        ann_file (str): The annotated boxes, see :func:`read_ava_csv`.
        label_file (str): The actions that count, see :func:`read_action_names`.
        exclude_file (str, optional): Keyframes that do not count, see :func:`read_excluded`.
        iou_threshold (float): Minimum IoU of a match, above 0, up to 1.
        min_score (float): Scores up to this one do not count, from 0 to 1.
        out_dir (str, optional): Another folder for the files.
        **kwargs: collect_device, prefix, collect_dir, see mmengine's BaseMetric.

    Source: AVA's evaluation; TWLV-I section 2.5.
    """

    # No prefix: other code looks the metrics up by these names.
    default_prefix = ''

    def __init__(
        self, ann_file, label_file, exclude_file=None, iou_threshold=0.5, min_score=0.002, out_dir=None, **kwargs
    ):
        super().__init__(**kwargs)
        check_options([iou_threshold], min_score)
        self.iou_threshold = iou_threshold
        self.min_score = min_score
        self.out_dir = out_dir
        self.ann_file = ann_file
        self.names = read_action_names(label_file)
        self.choices = dict(classes=len(self.names))  # for results.json: 60 or 80 of AVA
        excluded = read_excluded(exclude_file) if exclude_file else set()
        self.truth = _by_keyframe(read_ava_csv(ann_file), list(self.names), excluded)
        if not self.truth:
            raise ValueError(
                f'{ann_file} has no action of {label_file} at a keyframe that is not excluded: give files that belong '
                'together'
            )

    def process(self, data_batch, data_samples):
        """Match the predictions of a batch.

        A sample has video_id, timestamp (seconds of the film) and pred_instances: bboxes (K, 4) normalised to [0, 1],
        and scores (K, C), whose columns are the ids of actions; tensors.
        """
        for sample in data_samples:
            key = image_key(sample['video_id'], sample['timestamp'])
            name = f'{key[0]} at {sample["timestamp"]} s'
            boxes = sample['pred_instances']['bboxes'].float().cpu().numpy()
            scores = class_scores(sample['pred_instances']['scores'], self.names, name)
            check_boxes(boxes, name)
            boxes = np.round(boxes.astype(np.float64), 4).astype(np.float32)
            places, classes, scores = best_first(scores, self.min_score)
            found = _Found(key, boxes, places, classes, scores, np.zeros(len(scores), dtype=bool))
            self._find_hits(found)
            self.results.append(found)

    def compute_metrics(self, results):
        logger = MMLogger.get_current_instance()
        results = [_Found(*found) for found in results]  # mmengine turns them into plain tuples
        by_key = {found.key: found for found in results}
        self._check(results, by_key)
        self._warn(logger, by_key)
        # In the order of the annotations, that of AVA's code.
        counted = [by_key[key] for key in self.truth if key in by_key]
        classes, scores, hits = (
            np.concatenate([getattr(found, name) for found in counted]) for name in ('classes', 'scores', 'hits')
        )
        totals = np.bincount(np.concatenate([labels for _, labels in self.truth.values()]), minlength=len(self.names))
        rows = []
        for label, (action, name) in enumerate(self.names.items()):
            places, total = np.flatnonzero(classes == label), int(totals[label])
            precision = average_precision(scores[places], hits[places], total)
            rows.append((action, name, total, len(places), precision))
        folder = Path(self.out_dir or log_folder())
        folder.mkdir(parents=True, exist_ok=True)
        metric = f'mAP@{self.iou_threshold:g}'
        write_class_precision(folder / 'class_ap.csv', logger, (*TABLE_HEADER, metric[1:]), rows)
        self._write_predictions(folder / 'predictions.csv', by_key)
        self._write_truth(folder / 'truth.csv')
        return {metric: float(np.nanmean([row[-1] for row in rows]))}

    def _find_hits(self, found):
        boxes, labels = self.truth.get(found.key, (found.boxes[:0], ()))
        overlap = pair_iou(found.boxes, boxes)
        for label in np.unique(labels):
            start, end = np.searchsorted(found.classes, [label, label + 1])
            wanted = overlap[np.ix_(found.places[start:end], labels == label)]
            found.hits[start:end] = first_hits(wanted, self.iou_threshold)

    def _check(self, results, by_key):
        if len(by_key) < len(results):
            seen = set()
            video_id, time = next(key for key, *_ in results if key in seen or seen.add(key))
            raise ValueError(f'{video_id} was predicted twice at {time / MILLISECONDS:g} s: predict it once')
        if not by_key.keys() & self.truth.keys():
            first = f', the first is {results[0].key[0]} at {results[0].key[1] / MILLISECONDS:g} s' if results else ''
            raise ValueError(
                f'none of the {len(results)} predicted keyframes has annotated actions in {self.ann_file}{first}: test '
                'on the keyframes of this file'
            )

    def _warn(self, logger, by_key):
        missed = [key for key in self.truth if key not in by_key]
        if missed:
            total = sum(len(labels) for _, labels in self.truth.values())
            actions = sum(len(self.truth[key][1]) for key in missed)
            videos = list(dict.fromkeys(video_id for video_id, _ in missed))
            shown = ', '.join(videos[:3]) + (', …' if len(videos) > 3 else '')
            logger.warning(
                f'{len(missed)} of the {len(self.truth)} keyframes of {self.ann_file} HAVE NO PREDICTIONS, in '
                f'{len(videos)} videos ({shown}). Their {actions} actions, {actions / total:.1%} of all, count as '
                'missed. Test on all videos.'
            )

    def _write_predictions(self, path, by_key):
        actions = list(self.names)
        with writing(path, 'w') as file:
            for key, found in sorted(by_key.items()):
                start, boxes = _written(key), [_written_box(box) for box in found.boxes.tolist()]
                file.writelines(
                    f'{start},{boxes[place]},{actions[label]},{score:.4f}\n'
                    for place, label, score in zip(
                        found.places.tolist(), found.classes.tolist(), found.scores.tolist(), strict=True
                    )
                )

    def _write_truth(self, path):
        actions = list(self.names)
        with writing(path, 'w') as file:
            for key, (boxes, labels) in sorted(self.truth.items()):
                file.writelines(
                    f'{_written(key)},{_written_box(box)},{actions[label]}\n'
                    for box, label in zip(boxes.tolist(), labels.tolist(), strict=True)
                )


def check_options(iou_thresholds, min_score):
    """Refuse IoU thresholds or a minimum score out of range."""
    for threshold in iou_thresholds:
        if not 0 < threshold <= 1:
            raise ValueError(f'an IoU threshold is {threshold}; it must be above 0 and up to 1')
    if not 0 <= min_score <= 1:
        raise ValueError(f'min_score is {min_score}; it must be from 0 to 1')


def check_boxes(boxes, name):
    """Refuse boxes (..., 4), predicted for ``name``, that are not finite or end before they start."""
    if not np.isfinite(boxes).all():
        raise ValueError(f'the predicted boxes of {name} contain NaN or Inf: has the training diverged?')
    if (boxes[..., 2:] < boxes[..., :2]).any():
        raise ValueError(f'{name} has a predicted box that ends before it starts; they must be x1, y1, x2, y2')


def class_scores(scores, names, name):
    """The columns of scores (K, C), one for each id, of the actions that count; ``name`` is for messages."""
    if scores.shape[1] <= max(names):
        raise ValueError(
            f'{name} has scores of shape {tuple(scores.shape)}, but there is an action {max(names)} '
            f'({names[max(names)]}): the model needs num_classes={max(names) + 1}, a column for each id, with 0 unused'
        )
    scores = scores[:, list(names)].float().cpu().numpy()
    if not np.isfinite(scores).all():
        raise ValueError(f'the scores of {name} contain NaN or Inf: has the training diverged?')
    return scores


def best_first(scores, min_score):
    """The actions with more than ``min_score``, by class and, within a class, best first, from scores (K, C).

    Returns (P,) indices of the boxes, (P,) indices of the classes, both uint16, and (P,) scores with four decimals.
    """
    classes, places = np.nonzero((scores > min_score).T)
    scores = np.round(scores[places, classes].astype(np.float64), 4).astype(np.float32)
    order = np.lexsort((-scores, classes))
    return places[order].astype(np.uint16), classes[order].astype(np.uint16), scores[order]


def _written(key):
    """The first columns of a keyframe's rows."""
    seconds, rest = divmod(key[1], MILLISECONDS)
    return f'{key[0]},{seconds:04d}{f".{rest:03d}" if rest else ""}'


def _written_box(box):
    return ','.join(f'{edge:.4f}' for edge in box)


def _by_keyframe(rows, actions, excluded):
    """Key of each keyframe with actions that count -> (G, 4) boxes and (G,) indices of their classes."""
    kept = np.flatnonzero(np.isin(rows.actions, actions))
    keys = image_keys(rows)
    frames = {}
    numbers = np.array([frames.setdefault(keys[place], len(frames)) for place in kept.tolist()], dtype=np.int64)
    # AVA's code treats the person as a score and sorts by it, which decides between boxes of equal IoU.
    order = np.lexsort((-rows.persons[kept], numbers))
    edges = np.searchsorted(numbers[order], np.arange(1, len(frames)))
    boxes = np.split(rows.boxes[kept][order], edges)
    labels = np.split(np.searchsorted(actions, rows.actions[kept][order]), edges)
    return {key: pair for key, *pair in zip(frames, boxes, labels, strict=True) if key not in excluded}
