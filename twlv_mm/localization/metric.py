"""mAP of temporal segments, with a table by class and ActivityNet's file of predictions."""

import json
from pathlib import Path

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from twlv_mm.records import log_folder, write_class_precision, writing
from twlv_mm.registry import METRICS

from .annotations import read_annotations
from .average_precision import average_precision


@METRICS.register_module()
class LocalizationMAP(BaseMetric):
    """Mean average precision over the classes, at several IoU, of all actions of a subset.

    ``mAP@0.30``, ... at each threshold and ``mAP``, their mean, from 0 to 1. Classes without actions in the subset do
    not count. Every action of the subset counts: those of videos without predictions are missed, and the log warns of
    them.

    ``class_ap.csv`` (a line per class; also printed to the log) and ``predictions.json`` in ActivityNet's format, with
    the annotated actions as ``external_data.truth``, are written into the folder of the run's log. In a config::

        val_evaluator = dict(type='twlv_mm.LocalizationMAP', ann_file='data/thumos14/thumos14.json', subset='Test',
                             iou_thresholds=[0.3, 0.4, 0.5, 0.6, 0.7])

    Args:
        ann_file (str): See :func:`read_annotations`.
        subset (str): The subset tested on, such as 'Test'; None for the whole file.
        iou_thresholds (Sequence[float]): Above 0, up to 1: 0.3, 0.4, ... 0.7 for THUMOS14, 0.5, 0.55, ... 0.95 for
            ActivityNet.
        classes (str | Sequence[str], optional): See :func:`read_annotations`.
        out_dir (str, optional): Another folder for the files.
        **kwargs: collect_device, prefix, collect_dir, see mmengine's BaseMetric.

    Source: TWLV-I section 2.4; the matching is that of ActivityNet's evaluation.
    """

    # No prefix: other code looks the metrics up by these names.
    default_prefix = ''

    def __init__(self, ann_file, subset, iou_thresholds, classes=None, out_dir=None, **kwargs):
        super().__init__(**kwargs)
        self.names = [f'mAP@{threshold:.2f}' for threshold in iou_thresholds]
        if not self.names or len(set(self.names)) < len(self.names) or not all(0 < x <= 1 for x in iou_thresholds):
            raise ValueError(
                f'iou_thresholds must differ in two decimals, be above 0 and up to 1; they are {iou_thresholds}'
            )
        self.iou_thresholds = list(iou_thresholds)
        annotations = read_annotations(ann_file, subset, classes)
        self.source = f'{ann_file}, subset {subset!r}'
        self.classes = annotations.classes
        self.truth = {video_id: (video.segments, video.labels) for video_id, video in annotations.videos.items()}
        if not any(len(labels) for _, labels in self.truth.values()):
            raise ValueError(f'{self.source} has no action to find: choose another subset')
        self.out_dir = out_dir

    def process(self, data_batch, data_samples):
        """Collect the predictions of a batch, samples as ActionFormer returns them."""
        for sample in data_samples:
            found = (sample['pred_instances'][name].cpu().numpy() for name in ('segments', 'scores', 'labels'))
            self.results.append((sample['video_id'], *found))

    def compute_metrics(self, results):
        self._check(results)
        logger = MMLogger.get_current_instance()
        predictions = {video_id: found for video_id, *found in results}
        precision = average_precision(predictions, self.truth, len(self.classes), self.iou_thresholds)
        rows = self._rows(precision, predictions)
        self._warn(logger, predictions, rows)
        mean = np.nanmean(precision, axis=0)
        header = ('index', 'class', 'actions', 'predictions', *(name[1:] for name in self.names), 'AP')
        folder = Path(self.out_dir or log_folder())
        folder.mkdir(parents=True, exist_ok=True)
        write_class_precision(folder / 'class_ap.csv', logger, header, rows)
        self._write_predictions(folder / 'predictions.json', predictions)
        return {**dict(zip(self.names, mean.tolist(), strict=True)), 'mAP': float(mean.mean())}

    def _check(self, results):
        classes = (self.dataset_meta or {}).get('classes')
        if classes is not None and tuple(classes) != tuple(self.classes):
            raise ValueError(
                f'the {len(classes)} classes of the dataset are not the {len(self.classes)} of {self.source}, or are '
                'in another order: give both the same classes'
            )
        video_ids = [video_id for video_id, *_ in results]
        foreign = [video_id for video_id in video_ids if video_id not in self.truth]
        if foreign:
            raise ValueError(
                f'there are predictions of {len(foreign)} videos that {self.source} does not have, the first is '
                f'{foreign[0]}: test on the videos of this subset'
            )
        if len(set(video_ids)) < len(video_ids):
            twice = next(video_id for place, video_id in enumerate(video_ids) if video_id in video_ids[:place])
            raise ValueError(f'{twice} was predicted twice: a dataset must have each video once')
        for video_id, segments, scores, labels in results:
            if not (np.isfinite(segments).all() and np.isfinite(scores).all()):
                raise ValueError(f'the predictions of {video_id} contain NaN or Inf')
            if (segments[:, 1] < segments[:, 0]).any():
                raise ValueError(f'{video_id} has a predicted segment that ends before it starts')
            if not ((labels >= 0) & (labels < len(self.classes))).all():
                wrong = labels[(labels < 0) | (labels >= len(self.classes))][0]
                raise ValueError(
                    f'{video_id} has a prediction of class {wrong}, but {self.source} has {len(self.classes)} classes'
                )

    def _rows(self, precision, predictions):
        truth = np.concatenate([labels for _, labels in self.truth.values()])
        predicted = np.concatenate([labels for _, _, labels in predictions.values()] or [truth[:0]])
        actions, found = (np.bincount(labels, minlength=len(self.classes)).tolist() for labels in (truth, predicted))
        columns = *precision.T.tolist(), precision.mean(axis=1).tolist()
        return list(zip(range(len(self.classes)), self.classes, actions, found, *columns, strict=True))

    def _warn(self, logger, predictions, rows):
        silent = [id_ for id_ in self.truth if id_ not in predictions or not len(predictions[id_][1])]
        if silent:
            total = sum(len(labels) for _, labels in self.truth.values())
            missed = sum(len(self.truth[video_id][1]) for video_id in silent)
            shown = ', '.join(silent[:3]) + (', …' if len(silent) > 3 else '')
            logger.warning(
                f'{len(silent)} of the {len(self.truth)} videos of {self.source} HAVE NO PREDICTIONS ({shown}). Their '
                f'{missed} actions, {missed / total:.1%} of all, count as missed. If their embeddings are missing, '
                'extract them.'
            )
        needless = [(name, found) for _, name, actions, found, *_ in rows if found and not actions]
        if needless:
            logger.warning(
                f'{sum(found for _, found in needless)} predictions of {len(needless)} classes without actions in '
                f'{self.source} do not count: {", ".join(name for name, _ in needless[:10])}'
            )

    def _write_predictions(self, path, predictions):
        results = {
            video_id: [
                action | dict(score=score)
                for action, score in zip(self._actions(segments, labels), scores.tolist(), strict=True)
            ]
            for video_id, (segments, scores, labels) in predictions.items()
        }
        truth = {video_id: self._actions(*self.truth[video_id]) for video_id in results}
        # The version is that of ActivityNet's format.
        content = dict(version='VERSION 1.3', results=results, external_data=dict(truth=truth))
        with writing(path, 'w') as file:
            json.dump(content, file)

    def _actions(self, segments, labels):
        return [
            dict(label=self.classes[label], segment=segment)
            for segment, label in zip(segments.tolist(), labels.tolist(), strict=True)
        ]
