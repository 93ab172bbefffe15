"""Classifiers of stored embeddings in mmengine: kNN and the offline linear probe."""

import logging
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.model import BaseDataPreprocessor, BaseModel
from torch import nn

from twlv_mm.embeddings import check_comparable, extraction_note
from twlv_mm.engine.dataset_check import DatasetCheckHook
from twlv_mm.registry import DATASETS, HOOKS, MODELS

from .knn import knn_votes


class EmbeddingClassifier(BaseModel):
    """A classifier of videos by the vectors of their clips, on batches of :class:`LabelledEmbeddings`.

    Args:
        num_classes (int): C.
    """

    choices = {}  # for results.json; the dataset has those of the embeddings

    def __init__(self, num_classes):
        # mmengine would look up its default by name, which imports all models of mmaction2.
        super().__init__(BaseDataPreprocessor())
        self.num_classes = num_classes

    def scores(self, inputs):
        """Scores of the classes, float and not negative: (M, D) -> (M, C)."""
        raise NotImplementedError

    def loss(self, inputs, num_clips, labels):
        """Losses (dict by name) of inputs (M, D), num_clips (N,), the vectors per video, and labels (N,)."""
        raise NotImplementedError

    def predict(self, inputs, num_clips, labels):
        """Predict a batch: a video's scores are summed over its vectors and normalised to a sum of 1.

        Returns:
            list[dict]: pred_score (C,) and gt_label (1,) of each video, for mmaction2's AccMetric.
        """
        scores = torch.segment_reduce(self.scores(inputs), 'sum', lengths=num_clips)
        scores = (scores / scores.sum(dim=1, keepdim=True)).float().cpu()
        labels = labels.cpu().split(1)
        return [dict(pred_score=score, gt_label=label) for score, label in zip(scores, labels, strict=True)]

    def forward(self, inputs, num_clips, labels, mode, video_ids=()):
        """Run :meth:`loss` or :meth:`predict`, by ``mode``, on the one item of a gathered batch.

        With ``video_ids``, which LabelledEmbeddings gives, predictions have the ``video_id``.
        """
        result = getattr(self, mode)(*inputs, *num_clips, *labels)
        if mode == 'predict' and video_ids:
            for sample, video_id in zip(result, video_ids[0].split('\n'), strict=True):
                sample['video_id'] = video_id
        return result


@MODELS.register_module()
class EmbeddingKNN(EmbeddingClassifier):
    """kNN classification of embeddings (paper 2.2.3): :func:`knn_votes`, summed over a video's vectors.

    Args:
        bank (dict): Config of the :class:`LabelledEmbeddings` of the memory bank; read on first use.
        num_classes (int): C.
        k (int): Neighbours per vector; the whole bank if it is smaller.
        temperature (float): See :func:`knn_votes`.
    """

    def __init__(self, bank, num_classes, k=200, temperature=0.1):
        super().__init__(num_classes)
        self._bank = bank
        self.k = k
        # A parameter, as DistributedDataParallel refuses a model without any.
        self.temperature = nn.Parameter(torch.tensor(temperature))

    @cached_property
    def bank(self):
        """LabelledEmbeddings: The memory bank."""
        return DATASETS.build(self._bank)

    @cached_property
    def neighbours(self):
        """int: ``k``, or the size of the bank if that is smaller, with a warning."""
        available = len(self.bank.vectors)
        if available < self.k:
            folder = self.bank.metainfo['folder']
            print_log(
                f'{folder} has {available} vectors, fewer than k={self.k}: all of them are neighbours of every video. '
                'Set model.k to at most the number of vectors per class.',
                'current',
                logging.WARNING,
            )
        return min(self.k, available)

    @property
    def choices(self):
        """dict: For results.json: the column of the paper's Table 6, k and temperature."""
        temperature = round(self.temperature.item(), 6)
        return dict(column=self._column(), k=self.neighbours, temperature=temperature)

    def _column(self):
        folder = Path(self.bank.metainfo['folder'])
        sampling = self.bank.metainfo['settings'].get('sampling') or folder.parent.name
        return 'uniform' if sampling == 'uniform' else self.bank.scope

    def scores(self, inputs):
        labels = self.bank.labels[self.bank.video_index]
        return knn_votes(inputs, self.bank.vectors, labels, self.num_classes, self.neighbours, self.temperature.item())


@MODELS.register_module()
class EmbeddingLinearProbe(EmbeddingClassifier):
    """A linear layer on embeddings (paper 2.2.1), with probabilities averaged over a video's vectors.

    Args:
        in_channels (int): D.
        num_classes (int): C.
    """

    def __init__(self, in_channels, num_classes):
        super().__init__(num_classes)
        self.fc = nn.Linear(in_channels, num_classes)

    def scores(self, inputs):
        return self.fc(inputs).softmax(dim=1)

    def loss(self, inputs, num_clips, labels):
        """Cross entropy, averaged over the clips of all videos."""
        return dict(loss=F.cross_entropy(self.fc(inputs), labels.repeat_interleave(num_clips)))


@HOOKS.register_module()
class CheckEmbeddingsHook(DatasetCheckHook):
    """Check the embeddings before a run.

    The embeddings for training (or those a tested checkpoint was trained on), the kNN bank and the test must share
    their settings; labels must be classes of the model, and vectors of its width. In a config::

        default_hooks = dict(embeddings=dict(type='twlv_mm.CheckEmbeddingsHook'))
    """

    def __init__(self):
        self._trained_on = None

    def after_load_checkpoint(self, runner, checkpoint):
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        self._trained_on = meta if 'settings' in meta else None

    def check(self, runner, model, *datasets):
        if isinstance(model, EmbeddingKNN):
            datasets = model.bank, *datasets
        trained_on = [self._trained_on] if self._trained_on else []
        first, *others = [*trained_on, *(dataset.metainfo for dataset in datasets)]
        for other in others:
            check_comparable(first, other)
        if isinstance(model, EmbeddingLinearProbe) and model.fc.in_features != first['dims']:
            raise ValueError(
                f'{first["folder"]} has {first["dims"]} dimensions per vector, but the model expects '
                f'{model.fc.in_features}: set model.in_channels={first["dims"]}, or use embeddings of another encoder'
            )
        for dataset in datasets:
            _check_labels(dataset, model.num_classes)
            if dataset.missing:
                runner.logger.warning(
                    f'{len(dataset.missing)} videos of the split have no embeddings in {dataset.metainfo["folder"]} '
                    f'and are left out, such as {", ".join(dataset.missing[:3])}.'
                    f'{extraction_note(dataset.metainfo["folder"])}'
                )
        without = model.num_classes - len(datasets[0].labels.unique())
        if without and len(datasets) > 1:
            runner.logger.warning(
                f'{without} of the {model.num_classes} classes have no video in {datasets[0].metainfo["folder"]}.'
            )
        if first['settings']['model'] is None:
            runner.logger.warning(
                f'The embeddings in {first["folder"]} do not name their encoder: results.json will name none.'
            )


def _check_labels(dataset, num_classes):
    outside = ((dataset.labels < 0) | (dataset.labels >= num_classes)).nonzero().flatten()
    if len(outside):
        shown = ', '.join(f'{dataset.video_ids[place]} has {int(dataset.labels[place])}' for place in outside[:3])
        raise ValueError(
            f'{len(outside)} of {len(dataset)} videos in {dataset.metainfo["folder"]} have labels outside '
            f'0 ... {num_classes - 1} (model.num_classes={num_classes}): {shown}. Classes count from 0: correct the '
            f'labels or model.num_classes; the largest label is {int(dataset.labels.max())}'
        )
