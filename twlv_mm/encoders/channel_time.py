"""Channel-time learning (CTL): the layer by which SqueezeTime models motion, with frames folded into channels."""

import torch
import torch.nn.functional as F
from torch import nn

BRANCHES = ('tfc', 'ioi')
INNER = 16  # channels of the inner branch, in all official models


class InterTemporalInteraction(nn.Module):
    """IOI: a 3x3 convolution, gated at each position by a wide-context branch over the gated input.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        pos_size (int): Side of the position table, which is resized for other maps.
    """

    def __init__(self, in_channels, out_channels, pos_size):
        super().__init__()
        self.short_conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.glo_conv = nn.Sequential(
            nn.Conv2d(in_channels, INNER, 3, padding=1),
            nn.BatchNorm2d(INNER),
            nn.ReLU(inplace=True),
            nn.Conv2d(INNER, INNER, 7, padding=3),
            nn.BatchNorm2d(INNER),
            nn.ReLU(inplace=True),
            nn.Conv2d(INNER, out_channels, 3, padding=1),
            nn.Sigmoid(),
        )
        self.pos_embed = nn.Parameter(torch.zeros(1, INNER, pos_size, pos_size))

    def forward(self, x, gated):
        """(N, C, H, W) twice, as it is and gated -> (N, C', H, W)."""
        view = self.glo_conv[:3](gated)
        table = self.pos_embed
        if table.shape[2:] != view.shape[2:]:
            # Bilinear with aligned corners, as the official weights were trained.
            table = F.interpolate(table, size=view.shape[2:], mode='bilinear', align_corners=True)
        return self.short_conv(x) * self.glo_conv[3:](view + table)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        # A table keeps its trained size: resizing it back and forth would change it.
        table = state_dict.get(f'{prefix}pos_embed')
        if table is not None and table.shape[:2] == self.pos_embed.shape[:2] and table.shape[2] == table.shape[3]:
            self.pos_embed.data = self.pos_embed.new_zeros(table.shape)
        super()._load_from_state_dict(state_dict, prefix, *args)


class ChannelTimeLearning(nn.Module):
    """CTL: a gate over channels, that is over time, and two branches whose outputs are added.

    TFC (temporal focus) mixes the gated channels; IOI (inter-temporal object interaction) relates positions.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        pos_size (int): As for :class:`InterTemporalInteraction`.
        branches (Sequence[str]): 'tfc', 'ioi', or both. One alone is the paper's ablation.

    Source: Zhai et al. 2024 (SqueezeTime), official code, whose module names are kept.
    """

    def __init__(self, in_channels, out_channels, pos_size, branches=BRANCHES):
        super().__init__()
        self.param_conv = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(in_channels, in_channels, 1, bias=False),
            nn.BatchNorm2d(in_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(in_channels, in_channels, 1, bias=False),
            nn.Sigmoid(),
        )
        self.temporal_conv = nn.Conv2d(in_channels, out_channels, 1, bias=False) if 'tfc' in branches else None
        self.spatial_conv = InterTemporalInteraction(in_channels, out_channels, pos_size) if 'ioi' in branches else None

    def forward(self, x):
        """(N, C, H, W) -> (N, C', H, W)."""
        gated = self.param_conv(x) * x
        if self.spatial_conv is None:
            return self.temporal_conv(gated)
        if self.temporal_conv is None:
            return self.spatial_conv(x, gated)
        return self.temporal_conv(gated) + self.spatial_conv(x, gated)
