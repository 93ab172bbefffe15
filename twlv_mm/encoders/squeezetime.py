"""SqueezeTime: a 2D residual network over a clip whose frames are folded into channels, for small devices."""

import copy

import torch
from torch import nn
from torch.nn.init import kaiming_normal_

from twlv_mm.registry import MODELS

from .architectures import SqueezeTimeArchitecture
from .channel_time import BRANCHES, ChannelTimeLearning
from .fused_squeezetime import FusedSqueezeTimeNet
from .table_encoder import TableEncoder

EXPANSION = 4
# Blocks of the four stages, by depth (He et al. 2016, Table 1).
STAGES = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def _conv_norm(in_channels, out_channels, size, **options):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, size, **options), nn.BatchNorm2d(out_channels))


class Bottleneck(nn.Module):
    """Residual bottleneck whose 3x3 convolution is a CTL layer; a stride is a depthwise convolution before both paths.

    Args:
        in_channels (int): Input channels.
        channels (int): Channels of the CTL layer; the output has four times as many.
        stride (int): 1 or 2.
        pos_size (int): Side of the CTL layer's position table.
        branches (Sequence[str]): Branches of the CTL layer.
    """

    def __init__(self, in_channels, channels, stride, pos_size, branches):
        super().__init__()
        out_channels = EXPANSION * channels
        self.downsample = nn.Identity()
        if stride > 1:
            self.downsample = _conv_norm(in_channels, in_channels, stride, stride=stride, groups=in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = ChannelTimeLearning(channels, channels, pos_size, branches)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut_conv = nn.Identity()
        if in_channels != out_channels:
            self.shortcut_conv = _conv_norm(in_channels, out_channels, 1, bias=False)

    def forward(self, x):
        """(N, C, H, W) -> (N, 4 x channels, H / stride, W / stride)."""
        x = self.downsample(x)
        shortcut = self.shortcut_conv(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


class SqueezeTimeNet(nn.Module):
    """The 2D network.

    Args:
        arch (SqueezeTimeArchitecture): Depth, widths, frames, position tables.
        last_stride (int): Stride of the last stage: 2, or 1 to keep its resolution.
        branches (Sequence[str]): Branches of the CTL layers.
    """

    def __init__(self, arch, last_stride, branches):
        super().__init__()
        widths = [round(arch.widen_factor * width) for width in (64, 128, 256, 512)]
        in_channels = widths[0]
        self.conv1 = nn.Conv2d(3 * arch.num_frames, in_channels, 5, stride=2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for stage, (width, blocks) in enumerate(zip(widths, STAGES[arch.depth], strict=True)):
            strides = [(1, 2, 2, last_stride)[stage]] + [1] * (blocks - 1)
            layer = nn.Sequential()
            for stride in strides:
                layer.append(Bottleneck(in_channels, width, stride, arch.pos_dim[stage], branches))
                in_channels = EXPANSION * width
            self.add_module(f'layer{stage + 1}', layer)

    def forward(self, x):
        """(N, 3 x T, H, W) -> (N, D, H / 32, W / 32), or / 16 with ``last_stride=1``."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


@MODELS.register_module()
class SqueezeTime(TableEncoder):
    """SqueezeTime; in configs ``type='twlv_mm.SqueezeTime'``.

    As a module it is an mmaction2 backbone: (N, 3, T, H, W) normalised float -> (N, D, 1, H', W'), time being in the
    channels; with ``detection=True`` (N, D / T, T, H', W').

    Args:
        arch (str): Name of a row of the table.
        weights, frozen, allow_random: As for :func:`twlv_mm.get_model`.
        branches (Sequence[str]): Branches of the CTL layers: 'tfc', 'ioi', or both.
        detection (bool): The variant for AVA: the last stage keeps its resolution, a stride of 16 instead of 32, and
            channels are unfolded into T time steps. Weights of the plain variant load, without the layers of its last
            stride.
        **overrides: Numbers of the row to change: depth (50, 101, 152), widen_factor, num_frames, pos_dim (sides of the
            position tables of the four stages, which are resized for other maps).

    Source: Zhai et al. 2024, "No Time to Waste: Squeeze Time into Channel for Mobile Video Understanding", official
    code.
    """

    kind = SqueezeTimeArchitecture

    def __init__(
        self,
        arch='squeezetime_r50',
        *,
        weights=None,
        frozen=False,
        allow_random=False,
        branches=BRANCHES,
        **overrides,
    ):
        super().__init__(arch, **overrides)
        if not branches or not set(branches) <= set(BRANCHES):
            raise ValueError(f'branches={branches!r}: must be a selection of {", ".join(BRANCHES)} (paper section 3)')
        if self.arch.depth not in STAGES:
            raise ValueError(f'depth={self.arch.depth}: must be one of {", ".join(map(str, STAGES))}')
        if len(self.arch.pos_dim) != 4:
            raise ValueError(
                "pos_dim must have four entries, the position table's side length per stage; got "
                f'{tuple(self.arch.pos_dim)}'
            )
        detection = self.arch.detection
        if detection and self.arch.embed_dims % self.arch.num_frames:
            raise ValueError(f'{self.arch.embed_dims} channels cannot be unfolded into {self.arch.num_frames} steps')
        if detection:
            self.left_out = ('net.layer4.0.downsample.',)
        self.net = SqueezeTimeNet(self.arch, 1 if detection else 2, branches)
        self._init_parameters()
        self.set_up(weights, frozen, allow_random)

    def _init_parameters(self):
        for parameter in self.parameters():
            if parameter.ndim == 4:  # weights of convolutions, and position tables
                kaiming_normal_(parameter, mode='fan_out', nonlinearity='relu')

    def fuse(self, dtype=torch.float32):
        """A frozen copy for inference: batch norms folded, weights laid out for the processor, channels last.

        Its state dict has other keys: save the original.

        Args:
            dtype (torch.dtype): To compute in; float32 gives the same outputs up to rounding, bfloat16 is faster.

        Returns:
            SqueezeTime: with the inputs and outputs of this one in eval mode.
        """
        if isinstance(self.net, FusedSqueezeTimeNet):
            raise ValueError('this SqueezeTime is fused already: use the original')
        fused = copy.deepcopy(self).requires_grad_(False)
        fused.net = FusedSqueezeTimeNet(fused.net, dtype)
        fused.frozen = True
        fused._has_weights = fused._has_weights or not self.frozen
        return fused.eval()

    def encode(self, video):
        frames = video.shape[2]
        if frames != self.arch.num_frames or 0 in video.shape[3:]:
            raise ValueError(
                f'{self.arch_name} got {frames} frames of {video.shape[3]} x {video.shape[4]} pixels, expected '
                f'{self.arch.num_frames} (frames are stacked as channels): sample {self.arch.num_frames} frames, or '
                'set num_frames'
            )
        x = self.net(video.flatten(1, 2))
        x = x.unflatten(1, (-1, frames)) if self.arch.detection else x.unsqueeze(2)
        return x.flatten(2).transpose(1, 2), tuple(x.shape[2:])
