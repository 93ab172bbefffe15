"""Accuracy, edit score and F1 of a segmentation, with tables by video and class and a file of predictions."""

from pathlib import Path

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from twlv_mm.records import format_table, log_folder, write_table
from twlv_mm.registry import METRICS

from .alignment import count_steps, steps_to_frames
from .predictions import video_entry, write_predictions
from .scores import VideoScores, f1_score, ratio, score_video
from .segments import UNLABELLED


@METRICS.register_module()
class SegmentationMetric(BaseMetric):
    """Frame accuracy, segmental edit score and F1 at several overlaps over the videos of a fold.

    ``accuracy``, ``edit``, ``F1@10``, ``F1@25``, ``F1@50`` and ``mF1``, the mean of these three, from 0 to 1. Accuracy
    pools the frames of all videos, F1 their segments; edit is the mean over the videos. Background counts in accuracy
    only. Videos without embeddings do not count, and the log warns of them.

    Written into the folder of the run's log: ``predictions.json`` (truth and prediction of each video as segments, for
    tools/visualize.py), ``class_accuracy.csv`` (a line per class; also printed to the log) and ``videos.csv`` (a line
    per video, the worst edit score first).

    In a config, the scores of TWLV-I's evaluation code beside the sound ones::

        val_evaluator = [dict(type='twlv_mm.SegmentationMetric'),
                         dict(type='twlv_mm.SegmentationMetric', published=True, prefix='published')]

    Args:
        overlaps (Sequence[float]): Minimum IoU of a match, above 0, up to 1.
        background (Sequence[str]): Names of background classes; names that a dataset lacks are ignored.
        published (bool): Count as TWLV-I's evaluation code does, for comparison with its numbers: segments at the end
            of a video are one frame short, predictions of an odd number of frames one too long, and edit is divided by
            the number of all listed videos, including those without embeddings. Writes no files.
        out_dir (str, optional): Another folder for the files.
        **kwargs: collect_device, prefix, collect_dir, see mmengine's BaseMetric.

    Source: TWLV-I section 2.6; the scores are those of Lea et al. 2017.
    """

    # No prefix: other code looks the metrics up by these names.
    default_prefix = ''

    def __init__(self, overlaps=(0.1, 0.25, 0.5), background=('background',), published=False, out_dir=None, **kwargs):
        super().__init__(**kwargs)
        self.names = [f'F1@{100 * overlap:.0f}' for overlap in overlaps]
        if not self.names or len(set(self.names)) < len(self.names) or not all(0 < x <= 1 for x in overlaps):
            raise ValueError(f'overlaps must differ in percent, be above 0 and up to 1; they are {overlaps}')
        self.overlaps = list(overlaps)
        self.background = list(background)
        self.published = published
        self.out_dir = out_dir

    def process(self, data_batch, data_samples):
        """Collect the predictions of a batch, samples as ASFormer returns them."""
        for sample in data_samples:
            truth, steps = (np.asarray(sample[name].cpu()) for name in ('frame_labels', 'pred_steps'))
            self.results.append((sample['video_id'], sample['fps'], sample['subsampling'], truth, steps))

    def compute_metrics(self, results):
        classes, missing = self.dataset_meta['classes'], self.dataset_meta.get('missing', ())
        self._check(results, classes)
        background = [label for label, name in enumerate(classes) if name in self.background]
        scores = {
            video_id: score_video(
                steps, truth, len(classes), subsampling=subsampling, background=background, overlaps=self.overlaps,
                published=self.published,
            )
            for video_id, _, subsampling, truth, steps in results
        }  # fmt: skip
        total = self._total(list(scores.values()), len(missing))
        logger = MMLogger.get_current_instance()
        self._warn(logger, total, len(results), missing)
        if not self.published:
            header, rows = self._class_rows(classes, total)
            logger.info(f'Segmentation by class, shares in percent:\n{format_table(header, rows)}')
            folder = Path(self.out_dir or log_folder())
            folder.mkdir(parents=True, exist_ok=True)
            write_table(folder / 'class_accuracy.csv', header, rows, decimals=4)
            worst_first = sorted(scores.items(), key=lambda item: (np.nan_to_num(item[1].edit, nan=2.0), item[0]))
            lines = [(name, one.frames.sum(), one.accuracy, one.edit, *one.f1) for name, one in worst_first]
            columns = ('video_id', 'frames', 'accuracy', 'edit', *self.names)
            write_table(folder / 'videos.csv', columns, lines, decimals=4)
            self._write_predictions(folder / 'predictions.json', classes, results)
        f1 = np.nan_to_num(total.f1) if self.published else total.f1
        shares = dict(accuracy=total.accuracy, edit=total.edit, **dict(zip(self.names, f1, strict=True)), mF1=f1.mean())
        return {name: float(share) for name, share in shares.items()}

    def _check(self, results, classes):
        if not results:
            raise ValueError('no video was predicted, so there is nothing to score: check the test dataset')
        seen = set()
        for video_id, _, subsampling, truth, steps in results:
            if video_id in seen:
                raise ValueError(f'{video_id} was predicted twice: a dataset must have each video once')
            seen.add(video_id)
            if len(steps) != count_steps(len(truth), subsampling):
                raise ValueError(
                    f'{video_id} has {len(steps)} predicted steps for {len(truth)} frames, {subsampling} frames per '
                    'step: the model must predict every step of its input'
                )
            for labels, what in ((truth[truth != UNLABELLED], 'a frame'), (steps, 'a prediction')):
                wrong = labels[(labels < 0) | (labels >= len(classes))]
                if len(wrong):
                    raise ValueError(
                        f'{video_id} has {what} of class {wrong[0]}, but the dataset has {len(classes)} classes'
                    )

    def _total(self, scores, num_missing):
        counts = [np.sum(counts, axis=0) for counts in list(zip(*scores, strict=True))[:-1]]
        edits = np.array([one.edit for one in scores if not np.isnan(one.edit)])
        return VideoScores(*counts, edit=ratio(edits.sum(), len(edits) + (num_missing if self.published else 0)))

    def _warn(self, logger, total, num_videos, missing):
        if missing:
            shown = ', '.join(missing[:3]) + (', …' if len(missing) > 3 else '')
            effect = (
                'They count as an edit score of 0, and not in accuracy and F1.'
                if self.published
                else 'The scores are those of the other videos only.'
            )
            logger.warning(
                f'{len(missing)} of the {num_videos + len(missing)} videos HAVE NO EMBEDDINGS ({shown}). {effect} '
                'Extract them.'
            )
        if not total.true.sum():
            logger.warning(
                f'no video has a true segment besides {", ".join(self.background) or "nothing"}: F1 has no meaning'
            )

    def _class_rows(self, classes, total):
        recall = ratio(total.correct, total.frames)
        f1 = f1_score(total.hits[-1], total.predicted, total.true)
        header = ('index', 'class', 'frames', 'recall', 'true segments', 'predicted segments', self.names[-1])
        columns = total.frames, recall, total.true, total.predicted, f1
        return header, list(zip(range(len(classes)), classes, *(column.tolist() for column in columns), strict=True))

    def _write_predictions(self, path, classes, results):
        videos = {
            video_id: video_entry(fps, truth, steps_to_frames(steps, subsampling, len(truth)))
            for video_id, fps, subsampling, truth, steps in results
        }
        write_predictions(path, classes, [name for name in classes if name in self.background], videos)
