"""Per-class accuracy and confusions."""

from pathlib import Path

import numpy as np
from mmaction.evaluation import ConfusionMatrix

from twlv_mm.records import class_names, log_folder, read_class_names, write_table
from twlv_mm.registry import METRICS
from twlv_mm.visualization import draw_confusion_matrix

from .predictions import BEST, Prediction, write_predictions

MAX_PAIRS = 100


@METRICS.register_module()
class ClassMetric(ConfusionMatrix):
    """Write per-class accuracy and confusions to files; the mean class accuracy is ``class/mean_accuracy``.

    Files in the folder of the run's log: ``class_accuracy.csv`` (empty accuracy for classes without videos),
    ``confusion_matrix.csv`` (true classes in rows), ``confused_pairs.csv`` (most frequent first),
    ``confusion_matrix.png`` and, if samples have a ``video_id``, ``predictions.json`` for tools/errors.py.

    The mean is over classes with videos. AccMetric's ``mean1`` also counts classes that are only predicted, with 0.

    In a config::

        test_evaluator = [dict(type='AccMetric'), dict(type='twlv_mm.ClassMetric', classes='label_map_videos.txt')]

    Args:
        classes (str | Sequence[str], optional): Class names, or a file with one a line. By default, ``classes`` of the
            dataset's ``metainfo``, else numbers.
        out_dir (str, optional): Another folder for the files.
        **kwargs: Those of mmengine's BaseMetric.
    """

    default_prefix = 'class'

    def __init__(self, classes=None, out_dir=None, **kwargs):
        super().__init__(**kwargs)
        self.classes = None if classes is None else read_class_names(classes)
        self.out_dir = out_dir

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            if not sample['pred_score'].isfinite().all():
                raise ValueError(
                    f'a video of class {sample["gt_label"].tolist()} has NaN or infinite scores: did the training '
                    'diverge?'
                )
        super().process(data_batch, data_samples)
        for result, sample in zip(self.results[-len(data_samples) :], data_samples, strict=True):
            if sample.get('video_id') is not None:
                result['prediction'] = _prediction(sample)

    def compute_metrics(self, results):
        labels = [result['gt_label'].tolist() for result in results]
        wrong = [label for label in labels if len(label) != 1 or not 0 <= label[0] < self.num_classes]
        if wrong:
            raise ValueError(
                f'{len(wrong)} of {len(labels)} videos do not have one label within 0 ... {self.num_classes - 1}, the '
                f'first has {wrong[0]}: correct the list, or remove ClassMetric from test_evaluator if videos have '
                'several labels'
            )
        predicted = [result['pred_label'].item() for result in results]
        matrix = self.calculate(predicted, np.concatenate(labels), self.num_classes).numpy()
        names = class_names(self.classes or (self.dataset_meta or {}).get('classes'), self.num_classes)
        folder = Path(self.out_dir or log_folder())
        folder.mkdir(parents=True, exist_ok=True)
        write_class_tables(folder, matrix, names)
        draw_confusion_matrix(folder / 'confusion_matrix.png', matrix, names)
        if all('prediction' in result for result in results):
            write_predictions(folder / 'predictions.json', names, [Prediction(*one['prediction']) for one in results])
        occurs = matrix.sum(axis=1) > 0
        return dict(mean_accuracy=float((matrix.diagonal()[occurs] / matrix.sum(axis=1)[occurs]).mean()))


def _prediction(sample):
    scores, labels = sample['pred_score'].topk(min(BEST, len(sample['pred_score'])))
    best = [(label, round(score, 6)) for label, score in zip(labels.tolist(), scores.tolist(), strict=True)]
    return Prediction(sample['video_id'], sample['gt_label'][0].item(), best, sample.get('start'), sample.get('end'))


def write_class_tables(folder, matrix, names):
    """Write class_accuracy.csv, confusion_matrix.csv and confused_pairs.csv into a folder.

    Args:
        folder (Path): An existing folder.
        matrix (ndarray): (C, C) int, videos by true class (row) and predicted class (column).
        names (Sequence[str]): The C names.
    """
    videos, correct = matrix.sum(axis=1), matrix.diagonal()
    accuracy = [f'{right / count:.4f}' if count else '' for right, count in zip(correct, videos, strict=True)]
    indices = range(len(names))
    write_table(
        folder / 'class_accuracy.csv',
        ('index', 'class', 'videos', 'correct', 'accuracy'),
        zip(indices, names, videos, correct, accuracy, strict=True),
    )
    rows = ((name, *row) for name, row in zip(names, matrix, strict=True))
    write_table(folder / 'confusion_matrix.csv', ('true class', *names), rows)

    mistakes = matrix * (1 - np.eye(len(names), dtype=matrix.dtype))
    # Stable: ties are in the order of the classes.
    most = np.argsort(-mistakes, axis=None, kind='stable')[:MAX_PAIRS]
    pairs = [divmod(int(place), len(names)) for place in most if mistakes.flat[place]]
    write_table(
        folder / 'confused_pairs.csv',
        ('true class', 'predicted class', 'videos', 'share of the true class'),
        ((names[i], names[j], matrix[i, j], f'{matrix[i, j] / videos[i]:.4f}') for i, j in pairs),
    )
