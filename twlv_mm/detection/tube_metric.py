"""Video mAP of tubelets: boxes that follow a person through a clip, with actions."""

from pathlib import Path

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from twlv_mm.records import log_folder, write_class_precision
from twlv_mm.registry import METRICS

from .ava_annotations import read_action_names
from .average_precision import TABLE_HEADER, average_precision, first_hits, pair_iou
from .metric import best_first, check_boxes, check_options, class_scores


@METRICS.register_module()
class TubeMAP(BaseMetric):
    """Mean average precision over the actions, of tubelets in clips: ``video_mAP@0.2``, ..., from 0 to 1.

    A predicted tubelet has a box in each of the T frames of its clip, an annotated one in those where the person is
    visible. Their IoU is the sum over the frames that both have of the IoU of their boxes, divided by T. All else is as
    for :class:`FrameMAP`, with a clip in place of an image; annotations come with the samples.

    Written into the folder of the run's log: ``tube_class_ap.csv`` (a line per class; also printed to the log).

    Args:
        label_file (str): The actions that count, see :func:`read_action_names`.
        iou_thresholds (Sequence[float]): Above 0, up to 1.
        min_score (float): Scores up to this one do not count, from 0 to 1.
        out_dir (str, optional): Another folder for the file.
        **kwargs: collect_device, prefix, collect_dir, see mmengine's BaseMetric.

    Source: the spatio-temporal overlap used to evaluate on UCF101-24 and JHMDB.
    """

    # No prefix: other code looks the metrics up by these names.
    default_prefix = ''

    def __init__(self, label_file, iou_thresholds=(0.2, 0.5), min_score=0.002, out_dir=None, **kwargs):
        super().__init__(**kwargs)
        check_options(iou_thresholds, min_score)
        self.iou_thresholds = list(iou_thresholds)
        self.names = read_action_names(label_file)
        self.min_score = min_score
        self.out_dir = out_dir

    def process(self, data_batch, data_samples):
        """Match the tubelets of a batch.

        A sample has video_id, timestamp, img_shape (height and width in pixels); gt_instances: tubes (G, T, 4) in
        pixels, tube_valid (G, T) bool and labels (G, C) multi-hot; pred_instances: tubes (K, T, 4) normalised
        to [0, 1], and scores (K, C); tensors.
        """
        for sample in data_samples:
            name = f'{sample["video_id"]} at {sample["timestamp"]} s'
            true, found = sample['gt_instances'], sample['pred_instances']
            for kind, fields in (('annotated', true), ('predicted', found)):
                if 'tubes' not in fields:
                    raise ValueError(
                        f'{name} has no {kind} tubelets: TubeMAP needs a dataset with boxes in every frame, and a '
                        'model that predicts them'
                    )
            height, width = sample['img_shape'][:2]
            true_tubes = true['tubes'].float().cpu().numpy() / np.array([width, height] * 2, dtype=np.float32)
            tubes = found['tubes'].float().cpu().numpy()
            check_boxes(tubes, name)
            if tubes.shape[1] != true_tubes.shape[1]:
                raise ValueError(
                    f'{name} has predicted tubelets of {tubes.shape[1]} frames and annotated ones of '
                    f'{true_tubes.shape[1]}: predict a box for each frame of the clip'
                )
            scores = class_scores(found['scores'], self.names, name)
            labels = true['labels'][:, list(self.names)].cpu().numpy() > 0
            overlap = tube_iou(tubes, true_tubes, true['tube_valid'].cpu().numpy())
            self.results.append((*self._hits(overlap, scores, labels), labels.sum(axis=0)))

    def compute_metrics(self, results):
        classes, scores, hits = (np.concatenate(parts) for parts in list(zip(*results, strict=True))[:3])
        totals = np.sum([total for *_, total in results], axis=0).tolist()
        if not any(totals):
            raise ValueError('no clip has an annotated tubelet with an action of the label file: nothing to find')
        rows = []
        for label, (action, name) in enumerate(self.names.items()):
            places = np.flatnonzero(classes == label)
            precision = [average_precision(scores[places], column[places], totals[label]) for column in hits.T]
            rows.append((action, name, totals[label], len(places), *precision))
        folder = Path(self.out_dir or log_folder())
        folder.mkdir(parents=True, exist_ok=True)
        names = [f'video_mAP@{threshold:g}' for threshold in self.iou_thresholds]
        table = folder / 'tube_class_ap.csv'
        header = (*TABLE_HEADER, *(name.replace('mAP', 'AP') for name in names))
        write_class_precision(table, MMLogger.get_current_instance(), header, rows)
        return dict(zip(names, np.nanmean([row[4:] for row in rows], axis=0).tolist(), strict=True))

    def _hits(self, overlap, scores, labels):
        places, classes, scores = best_first(scores, self.min_score)
        hits = np.zeros((len(scores), len(self.iou_thresholds)), dtype=bool)
        for label in np.flatnonzero(labels.any(axis=0)):
            start, end = np.searchsorted(classes, [label, label + 1])
            wanted = overlap[np.ix_(places[start:end], labels[:, label])]
            for column, threshold in enumerate(self.iou_thresholds):
                hits[start:end, column] = first_hits(wanted, threshold)
        return classes, scores, hits


def tube_iou(tubes, others, valid):
    """Spatio-temporal IoU (K, G) of tubelets (K, T, 4) with others (G, T, 4), which exist where valid (G, T)."""
    overlap = pair_iou(tubes.swapaxes(0, 1), others.swapaxes(0, 1))
    return (overlap * valid.T[:, None]).mean(axis=0)
