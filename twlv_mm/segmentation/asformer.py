"""ASFormer: a class for every step of a video, from the embeddings of its clips."""

import math

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor, BaseModel
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from twlv_mm.embeddings import check_inputs
from twlv_mm.registry import MODELS

from .layers import AttentionBlock, masked, pointwise
from .losses import segmentation_loss
from .segments import UNLABELLED

WINDOWS = ('sliding', 'full')
# For a decoder that starts as the identity: its logit for an input probability of 1, and the factor on the initial
# last weights of its layers.
SHARPNESS, QUIET = 5.0, 0.1


@MODELS.register_module()
class ASFormer(BaseModel):
    """An encoder that classifies each step, and decoders that refine the classes, each those of the stage before.

    Layer i of a stage convolves over steps at a distance of 2^i and attends within blocks of 2^i steps and their
    surroundings, or to all steps. Every stage is trained; the last one predicts.

    A batch is ``inputs``, a list of (D, T) float32 tensors, and ``data_samples``, a list of ActionDataSample with
    ``step_labels`` (T,) int64 and the metainfo of :class:`~twlv_mm.segmentation.transforms.PackSegmentation`. Videos
    may differ in length; the results of one do not depend on the others, and the loss is the mean over videos.

    Args:
        num_classes (int): C.
        in_channels (int): D.
        channels (int): Width, num_f_maps in ASFormer's code.
        num_layers (int): Layers of a stage.
        num_decoders (int): Stages after the first.
        window (str): 'sliding' for attention within blocks, 'full' for attention to all steps.
        reduction (int): Ratio of channels to the width of queries and keys (ASFormer's r1).
        value_reduction (int): Ratio of channels to the width of values (r2).
        channel_masking (float): Share of the embeddings' channels that training sets to zero.
        smoothing (float): Weight of the smoothing loss.
        init (str): 'ours', or 'published' to initialise the decoders at random as ASFormer's code does, to reproduce it
            exactly.
        data_preprocessor, init_cfg (dict, optional): See mmengine's BaseModel.

    Source: Yi et al. 2021 and their code, whose weights load unchanged (``load_from``); numbers from TWLV-I section 2.6
    and its evaluation code. Our default initialisation of decoders differs: theirs is random, so that a decoder learns
    nothing until the one before it has learnt.
    """

    def __init__(
        self,
        num_classes,
        in_channels,
        channels=256,
        num_layers=8,
        num_decoders=3,
        window='sliding',
        reduction=2,
        value_reduction=2,
        channel_masking=0.3,
        smoothing=0.15,
        init='ours',
        data_preprocessor=None,
        init_cfg=None,
    ):
        # Built here: given its name, mmengine would import all models of mmaction2 to find it.
        super().__init__(data_preprocessor or BaseDataPreprocessor(), init_cfg)
        if window not in WINDOWS:
            raise ValueError(f'window is {window!r}; it must be {" or ".join(map(repr, WINDOWS))}')
        if init not in ('ours', 'published'):
            raise ValueError(f"init is {init!r}; it must be 'ours' or 'published'")
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.channel_masking = channel_masking
        self.smoothing = smoothing
        self.choices = dict(head='ASFormer')  # for results.json

        def stage(inputs, alpha):
            sizes = [2**layer for layer in range(num_layers)]
            blocks = [AttentionBlock(channels, size, reduction, value_reduction, window, alpha) for size in sizes]
            return _Stage(inputs, channels, num_classes, blocks)

        self.encoder = stage(in_channels, 1.0)
        # The later the stage, the less it attends to the result of the one before.
        self.decoders = nn.ModuleList(stage(num_classes, math.exp(-3 * place)) for place in range(num_decoders))
        if init == 'ours':
            for decoder in self.decoders:
                decoder.start_as_identity()

    def forward(self, inputs, data_samples, mode='tensor'):
        """Run a batch in mode 'loss', 'predict' or 'tensor'.

        Returns loss_cls and loss_smooth, sums over the stages; the samples with ``pred_steps`` (T,) int64 and
        ``pred_scores`` (T,), the probability of that class; or logits of all stages (S, N, T, C).
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return torch.stack(self._stages(inputs, data_samples)[0])
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', it is {mode!r}")

    def loss(self, inputs, data_samples):
        _check_labels(inputs, data_samples, self.num_classes)
        stages, valid = self._stages(inputs, data_samples)
        labels = pad_sequence([sample.step_labels for sample in data_samples], True, UNLABELLED)
        losses = [segmentation_loss(logits, labels, valid, self.smoothing) for logits in stages]
        loss_cls, loss_smooth = (sum(parts) for parts in zip(*losses, strict=True))
        return dict(loss_cls=loss_cls, loss_smooth=loss_smooth)

    def predict(self, inputs, data_samples):
        (*_, logits), _ = self._stages(inputs, data_samples)
        scores, steps = logits.float().softmax(dim=-1).max(dim=-1)
        for place, (x, sample) in enumerate(zip(inputs, data_samples, strict=True)):
            sample.pred_steps, sample.pred_scores = (found[place, : x.shape[1]] for found in (steps, scores))
            if not sample.pred_scores.isfinite().all():
                raise ValueError(f'the model produces NaN or Inf for {sample.video_id}: its training diverged')
        return data_samples

    def _stages(self, inputs, data_samples):
        """Logits of each stage, list of (N, T, C), and a mask of the steps that are not padding, (N, T, 1) or None."""
        check_inputs(inputs, data_samples, self.in_channels)
        x = pad_sequence([x.T for x in inputs], True)
        lengths = torch.tensor([x.shape[1] for x in inputs], device=x.device)
        valid = None
        if (lengths < x.shape[1]).any():
            valid = (torch.arange(x.shape[1], device=x.device) < lengths[:, None]).to(x.dtype)[..., None]
        # A channel is masked in all steps of a video.
        x = F.dropout1d(x.transpose(1, 2), self.channel_masking, self.training).transpose(1, 2)
        logits, features = self.encoder(x, None, valid)
        stages = [logits]
        for decoder in self.decoders:
            logits, features = decoder(masked(logits.softmax(dim=-1), valid), features, valid)
            stages.append(logits)
        return stages, valid


class _Stage(nn.Module):
    """Blocks between two pointwise convolutions; names are those of the official weights."""

    def __init__(self, in_channels, channels, num_classes, blocks):
        super().__init__()
        self.conv_1x1 = nn.Conv1d(in_channels, channels, 1)
        self.layers = nn.ModuleList(blocks)
        self.conv_out = nn.Conv1d(channels, num_classes, 1)

    @torch.no_grad()
    def start_as_identity(self):
        """Make the stage return the classes that it is given, before training."""
        nn.init.orthogonal_(self.conv_1x1.weight)
        self.conv_out.weight.copy_(SHARPNESS * self.conv_1x1.weight.transpose(0, 1))
        for conv in (self.conv_1x1, self.conv_out):
            nn.init.zeros_(conv.bias)
        for layer in self.layers:
            layer.conv_1x1.weight.mul_(QUIET)
            nn.init.zeros_(layer.conv_1x1.bias)

    def forward(self, x, values_of, valid):
        """(N, T, C') and the features of the stage before -> logits (N, T, classes) and features (N, T, C)."""
        x = masked(pointwise(self.conv_1x1, x), valid)
        for layer in self.layers:
            x = layer(x, values_of, valid)
        return masked(pointwise(self.conv_out, x), valid), x


def _check_labels(inputs, data_samples, num_classes):
    for x, sample in zip(inputs, data_samples, strict=True):
        labels = sample.step_labels
        if len(labels) != x.shape[1]:
            raise ValueError(f'{sample.video_id} has {len(labels)} labels for {x.shape[1]} steps')
        named = labels[labels != UNLABELLED]
        if len(named) and (named.min() < 0 or named.max() >= num_classes):
            raise ValueError(
                f'{sample.video_id} has labels from {int(named.min())} to {int(named.max())}, the model has '
                f'num_classes={num_classes}, counted from 0: correct mapping.txt or num_classes'
            )
