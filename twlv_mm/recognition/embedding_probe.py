"""Classifiers of stored embeddings, trained and tested through mmengine: kNN and the offline linear probe."""

import logging
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import BaseDataPreprocessor, BaseModel, is_model_wrapper
from torch import nn

from twlv_mm.embeddings import check_comparable, encoder_of, going_on
from twlv_mm.registry import DATASETS, HOOKS, MODELS

from .knn import knn_votes


class EmbeddingClassifier(BaseModel):
    """A classifier of videos by the vectors of their clips; what a batch holds says :class:`LabelledEmbeddings`.

    Args:
        num_classes (int): C.

    Attributes:
        metainfo (dict): Of the embeddings; :class:`CheckEmbeddingsHook` sets it.
    """

    def __init__(self, num_classes):
        # By its name, mmengine would look for this, its default, among all models of mmaction2.
        super().__init__(BaseDataPreprocessor())
        self.num_classes = num_classes
        self.metainfo = None

    @property
    def backbone(self):
        """nn.Module | None: The encoder of the embeddings, without its weights; None if not known, or not yet.

        ResultsHook writes down who it is.
        """
        return self.metainfo and encoder_of(self.metainfo['settings'])

    @property
    def choices(self):
        """dict: For results.json: what the embeddings say of the clips and the pooling that they were made with."""
        settings = (self.metainfo or {}).get('settings', {})
        known = {name: settings.get(name) for name in ('pooling', 'sampling', 'clip_seconds', 'stride_seconds')}
        known['frames'] = settings.get('frames_per_clip')
        return dict(input='embeddings', **{name: value for name, value in known.items() if value is not None})

    def scores(self, inputs):
        """Score the classes for each vector.

        Args:
            inputs (Tensor): (M, D).

        Returns:
            Tensor: (M, C), float32 or float64, not negative.
        """
        raise NotImplementedError

    def loss(self, inputs, num_clips, labels):
        """Loss of a batch.

        Args:
            inputs (Tensor): (M, D).
            num_clips (Tensor): (N,) vectors of each video.
            labels (Tensor): (N,) class indices.

        Returns:
            dict[str, Tensor]: losses by name.
        """
        raise NotImplementedError

    def predict(self, inputs, num_clips, labels):
        """Predict a batch: the scores of a video's vectors are added and normalised to a sum of 1.

        Args: see :meth:`loss`.

        Returns:
            list[dict]: pred_score (C,) and gt_label (1,) of each video, as mmaction2's AccMetric takes them.
        """
        scores = torch.segment_reduce(self.scores(inputs), 'sum', lengths=num_clips)
        scores = (scores / scores.sum(dim=1, keepdim=True)).float().cpu()
        labels = labels.cpu().split(1)
        return [dict(pred_score=score, gt_label=label) for score, label in zip(scores, labels, strict=True)]

    def forward(self, inputs, num_clips, labels, mode, video_ids=()):
        """Run :meth:`loss` (mode 'loss') or :meth:`predict` (mode 'predict') on the one item of a gathered batch.

        Where ``video_ids`` are given, as LabelledEmbeddings does, predictions have the ``video_id``.
        """
        result = getattr(self, mode)(*inputs, *num_clips, *labels)
        if mode == 'predict' and video_ids:
            for sample, video_id in zip(result, video_ids[0].split('\n'), strict=True):
                sample['video_id'] = video_id
        return result


@MODELS.register_module()
class EmbeddingKNN(EmbeddingClassifier):
    """kNN classification of embeddings (paper 2.2.3): the votes of :func:`knn_votes`, added over a video's vectors.

    Args:
        bank (dict): Config of the :class:`LabelledEmbeddings` that vote; read when it is first needed.
        num_classes (int): C.
        k (int): Neighbours of a vector; all vectors of a bank that has fewer.
        temperature (float): See :func:`knn_votes`.
    """

    def __init__(self, bank, num_classes, k=200, temperature=0.1):
        super().__init__(num_classes)
        self._bank = bank
        self.k = k
        # A parameter, because DistributedDataParallel refuses a model that has none.
        self.temperature = nn.Parameter(torch.tensor(temperature))

    @cached_property
    def bank(self):
        """LabelledEmbeddings: The videos that vote."""
        return DATASETS.build(self._bank)

    @cached_property
    def neighbours(self):
        """int: How many vectors vote: ``k``, or the whole bank where that has fewer, which is said."""
        available = len(self.bank.vectors)
        if available < self.k:
            folder = self.bank.metainfo['folder']
            print_log(
                f'{folder} has {available} vectors, fewer than k={self.k}: all of them vote for every video. Set '
                'model.k to the number of vectors that a class has, or less.',
                'current',
                logging.WARNING,
            )
        return min(self.k, available)

    @property
    def choices(self):
        """dict: As of the base class; the column of the paper's Table 6, how many neighbours voted, and how."""
        temperature = round(self.temperature.item(), 6)
        return super().choices | dict(column=self._column(), k=self.neighbours, temperature=temperature)

    def _column(self):
        folder = Path(self.bank.metainfo['folder'])
        sampling = self.bank.metainfo['settings'].get('sampling') or folder.parent.name
        return 'uniform' if sampling == 'uniform' else self.bank.scope

    def scores(self, inputs):
        """Votes: (M, D) -> (M, C)."""
        labels = self.bank.labels[self.bank.video_index]
        return knn_votes(inputs, self.bank.vectors, labels, self.num_classes, self.neighbours, self.temperature.item())


@MODELS.register_module()
class EmbeddingLinearProbe(EmbeddingClassifier):
    """A linear layer on embeddings (paper 2.2.1), whose probabilities are averaged over a video's vectors.

    Args:
        in_channels (int): D.
        num_classes (int): C.
    """

    def __init__(self, in_channels, num_classes):
        super().__init__(num_classes)
        self.fc = nn.Linear(in_channels, num_classes)

    def scores(self, inputs):
        """Probabilities: (M, D) -> (M, C)."""
        return self.fc(inputs).softmax(dim=1)

    def loss(self, inputs, num_clips, labels):
        """Cross entropy, the mean over the clips of all videos; see the base class."""
        return dict(loss=F.cross_entropy(self.fc(inputs), labels.repeat_interleave(num_clips)))


@HOOKS.register_module()
class CheckEmbeddingsHook(Hook):
    """Check the embeddings of a run before it starts, and tell the model whose they are.

    All must have been made with the same settings of the same encoder: those to learn from (also those that a tested
    checkpoint was trained on) and those to test on. Labels must be classes of the model, vectors of its width. In a
    config::

        default_hooks = dict(embeddings=dict(type='twlv_mm.CheckEmbeddingsHook'))
    """

    def __init__(self):
        self._trained_on = None

    def after_load_checkpoint(self, runner, checkpoint):
        """Keep what the checkpoint was trained on."""
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        self._trained_on = meta if 'settings' in meta else None

    def before_train(self, runner):
        """Check the embeddings of training, and of validation if there is one."""
        validation = [runner.val_dataloader.dataset] if runner.val_loop is not None else []
        self._check(runner, runner.train_dataloader.dataset, *validation)

    def before_test(self, runner):
        """Check the embeddings of the test."""
        model = _unwrapped(runner.model)
        bank = [model.bank] if isinstance(model, EmbeddingKNN) else []
        self._check(runner, *bank, runner.test_dataloader.dataset)

    def _check(self, runner, *datasets):
        model = _unwrapped(runner.model)
        trained_on = [self._trained_on] if self._trained_on else []
        first, *others = [*trained_on, *(dataset.metainfo for dataset in datasets)]
        for other in others:
            check_comparable(first, other)
        if isinstance(model, EmbeddingLinearProbe) and model.fc.in_features != first['dims']:
            raise ValueError(
                f'{first["folder"]} has {first["dims"]} numbers a vector, the model takes {model.fc.in_features}: set '
                f'model.in_channels={first["dims"]}, or take the embeddings of another encoder'
            )
        for dataset in datasets:
            _check_labels(dataset, model.num_classes)
            if dataset.missing:
                runner.logger.warning(
                    f'{len(dataset.missing)} videos of the split have no embeddings in {dataset.metainfo["folder"]} '
                    f'and are left out, {", ".join(dataset.missing[:3])} among them.'
                    f'{going_on(dataset.metainfo["folder"])}'
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
        model.metainfo = first


def _check_labels(dataset, num_classes):
    outside = ((dataset.labels < 0) | (dataset.labels >= num_classes)).nonzero().flatten()
    if len(outside):
        shown = ', '.join(f'{dataset.video_ids[place]} has {int(dataset.labels[place])}' for place in outside[:3])
        raise ValueError(
            f'{len(outside)} of {len(dataset)} videos in {dataset.metainfo["folder"]} have labels outside '
            f'0 ... {num_classes - 1} (model.num_classes={num_classes}): {shown}. Classes count from 0: correct the '
            f'labels or model.num_classes; the largest label is {int(dataset.labels.max())}'
        )


def _unwrapped(model):
    return model.module if is_model_wrapper(model) else model
