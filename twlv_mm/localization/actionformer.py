"""ActionFormer: temporal action localization with local attention over a feature pyramid."""

import torch
from mmengine.model import BaseDataPreprocessor, BaseModel

from twlv_mm.embeddings import check_inputs
from twlv_mm.registry import MODELS

from .decoding import SegmentDecoder
from .heads import ClassificationHead, RegressionHead
from .layers import join_levels
from .losses import LocalizationLoss
from .official_weights import load_official_weights
from .pyramid import FeaturePyramid
from .targets import assign_targets, make_points

RANGES = ((0, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 10000))
STARTS = {'ours': 2.0, 'published': 0.0}  # initial distances, in steps of their level


@MODELS.register_module()
class ActionFormer(BaseModel):
    """Temporal action localization on embeddings of clips; in configs ``type='twlv_mm.ActionFormer'``.

    A batch is ``inputs``, a list of N (D, T_i) float32 tensors, the embeddings of a video's clips in order of time, and
    ``data_samples``, a list of N ActionDataSample with video_id, duration (seconds), origin (seconds, the centre of
    step 0), step (seconds between steps) and perhaps classes (names); for training they have ``gt_instances`` with
    segments (G, 2) in steps and labels (G,), G >= 0. The results of a video do not depend on the other videos of its
    batch.

    ``paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, custom_keys={'scale': dict(decay_mult=0)})`` exempts
    norms, biases and scales from weight decay.

    Args:
        num_classes (int): C; 1 with ``external``.
        in_channels (int): D, width of an embedding.
        channels (int): Width of pyramid and heads.
        num_heads (int): Attention heads.
        arch (tuple[int]): Number of convolutions, of transformer blocks at full rate, and of levels, each at half the
            rate of the one before.
        window (int | Sequence[int]): Odd number of steps that attention covers, or -1 for all; a list has one for the
            blocks at full rate and one for each level after it.
        regression_ranges (Sequence[tuple[float, float]]): For each level, the range of the distance from a step to the
            farther end of an action that it learns, in steps at full rate.
        max_length (int): Steps that ActionFormer's code pads videos to. We pad less but give the same results at the
            end of a video. Longer videos are allowed.
        head_layers (int): Convolutions of each head.
        drop_path (float): Rate at which residual branches are dropped; 0 leaves out their scales too.
        class_prior (float): Probability of each class before training.
        center_radius (float): Maximum distance of a step from the centre of an action that it learns, in strides of
            its level.
        loss (dict, optional): Arguments of :class:`LocalizationLoss`: label_smoothing, reg_weight, init_norm.
        test_cfg (dict, optional): Arguments of :class:`SegmentDecoder`: min_score, max_candidates, min_duration, nms.
        external (dict, optional): Arguments of :class:`ExternalScores`: the model finds actions of any class, and a
            classifier of whole videos names them. Its classes are those of the dataset unless given.
        init (str): 'ours', or 'published' to initialise the regression as ActionFormer's code does, to reproduce it
            exactly. It starts at 0, where ReLU blocks the gradient of about half the outputs, some permanently. 'ours'
            starts at two strides, within each level's range.
        weights (str, optional): A file of ActionFormer's code.
        data_preprocessor, init_cfg (dict, optional): See mmengine's BaseModel.

    Source: Zhang et al. 2022 (ActionFormer) and its code; TWLV-I section 2.4. Defaults are those of TWLV-I's evaluation
    code for THUMOS14.
    """

    def __init__(
        self,
        num_classes,
        in_channels,
        channels=256,
        num_heads=4,
        arch=(2, 2, 5),
        window=19,
        regression_ranges=RANGES,
        max_length=2304,
        head_layers=3,
        drop_path=0.1,
        class_prior=0.01,
        center_radius=1.5,
        loss=None,
        test_cfg=None,
        external=None,
        init='ours',
        weights=None,
        data_preprocessor=None,
        init_cfg=None,
    ):
        # Built here: given its name, mmengine would import all models of mmaction2 to find it.
        super().__init__(data_preprocessor or BaseDataPreprocessor(), init_cfg)
        if external is not None and num_classes != 1:
            raise ValueError(
                f'with external scores the model finds actions of any class: set num_classes=1, not {num_classes}'
            )
        if init not in STARTS:
            raise ValueError(f'init is {init!r}; it must be {" or ".join(map(repr, STARTS))}')
        if len(regression_ranges) != 1 + arch[2]:
            raise ValueError(f'{len(regression_ranges)} regression_ranges for the {1 + arch[2]} levels of arch={arch}')
        self.num_classes = num_classes
        self.class_agnostic = external is not None
        classifier = 'self-contained' if external is None else f'external, {external.get("score_norm", "l1")}'
        self.choices = dict(head='ActionFormer', classifier=classifier)  # for results.json
        self.regression_ranges = regression_ranges
        self.center_radius = center_radius
        self.pyramid = FeaturePyramid(in_channels, channels, num_heads, arch, window, drop_path, max_length)
        self.cls_head = ClassificationHead(channels, num_classes, head_layers, class_prior)
        self.reg_head = RegressionHead(channels, len(regression_ranges), head_layers, STARTS[init])
        self.criterion = LocalizationLoss(**(loss or {}))
        self.decoder = SegmentDecoder(**(test_cfg or {}), external=external)

        if weights is not None:
            load_official_weights(self, weights)

    def forward(self, inputs, data_samples, mode='tensor'):
        """Run a batch in mode 'loss', 'predict' or 'tensor'.

        Returns loss_cls and loss_reg; the samples with ``pred_instances``, segments (M, 2) in seconds, scores (M,) and
        labels (M,), best first; or logits (N, P, C), distances to start and end in strides (N, P, 2) and a mask of the
        video's own points (N, P), the levels concatenated, finest first.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self._outputs(inputs, data_samples)[:3]
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', it is {mode!r}")

    def loss(self, inputs, data_samples):
        _check_actions(data_samples, None if self.class_agnostic else self.num_classes)
        logits, offsets, valid, points, _ = self._outputs(inputs, data_samples)
        targets = [self._targets(points, sample.gt_instances) for sample in data_samples]
        classes, distances = (torch.stack(x) for x in zip(*targets, strict=True))
        return self.criterion(logits[valid], offsets[valid], classes[valid], distances[valid])

    def predict(self, inputs, data_samples):
        logits, offsets, valid, points, lengths = self._outputs(inputs, data_samples)
        if not (logits.isfinite().all() and offsets.isfinite().all()):
            names = ', '.join(sample.video_id for sample in data_samples)
            raise ValueError(f'the model produces NaN or Inf for {names}: its training diverged')
        for place, sample in enumerate(data_samples):
            found = logits[place], offsets[place], valid[place]
            sample.pred_instances = self.decoder(*found, points, lengths, sample, sample.get('classes'))
        return data_samples

    def _outputs(self, inputs, data_samples):
        check_inputs(inputs, data_samples, self.pyramid.in_channels)
        x, steps = self.pyramid.batch(inputs)

        levels = self.pyramid(x, steps)
        lengths = [x.shape[1] for x, _ in levels]
        x, steps, numbers = join_levels(levels)
        logits, offsets = self.cls_head(x, steps), self.reg_head(x, steps, numbers)
        logits, offsets, valid = (part[:, numbers >= 0] for part in (logits, offsets, steps.valid.squeeze(-1)))
        points = make_points(lengths, self.pyramid.strides, self.regression_ranges, x.device)
        return logits, offsets, valid, points, lengths

    def _targets(self, points, actions):
        labels = torch.zeros_like(actions.labels) if self.class_agnostic else actions.labels
        return assign_targets(points, actions.segments, labels, self.num_classes, self.center_radius)


def _check_actions(data_samples, num_classes):
    """Check labels against num_classes, or only that they are not negative where it is None."""
    for sample in data_samples:
        labels = sample.gt_instances.labels
        if len(labels) and (labels.min() < 0 or (num_classes is not None and labels.max() >= num_classes)):
            raise ValueError(
                f'{sample.video_id} has labels from {int(labels.min())} to {int(labels.max())}, the model has '
                f'num_classes={num_classes}, counted from 0: correct the classes of the annotations or num_classes'
            )
