"""SqueezeTime for inference: batch norms folded into convolutions, and pointwise operations fused with them.

On CPUs, with torch 2.13 or newer, convolution weights are kept in oneDNN's layout, which otherwise is computed at every
call, and activations, products and sums run inside the convolution. Elsewhere it is ordinary PyTorch, channels last.
"""

import torch
import torch.nn.functional as F
from packaging.version import Version
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

# oneDNN of torch 2.6 fails on maps of one pixel; versions between it and 2.13 are untested.
NEW_ENOUGH = Version(torch.__version__) >= Version('2.13')
ACTIVATIONS = {None: lambda x: x, 'relu': torch.relu_, 'sigmoid': torch.sigmoid_}
COMBINATIONS = {'add': torch.add, 'mul': torch.mul}


def fold(conv, norm):
    """Fold a batch norm into the convolution before it: the new weight and bias."""
    return fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )


class FusedConv(nn.Module):
    """A convolution, then a sum with or product by another map, then an activation.

    Args:
        conv (nn.Conv2d): Gives stride, padding and groups.
        weight (Tensor): The weight to use.
        bias (Tensor, optional): The bias to use.
        combine (str, optional): 'add' or 'mul'.
        activation (str, optional): 'relu' or 'sigmoid'.
    """

    def __init__(self, conv, weight, bias, combine=None, activation=None):
        super().__init__()
        self.geometry = [list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups]
        self.combine, self.activation = combine, activation
        self.register_buffer('weight', weight.detach().clone(memory_format=torch.channels_last))
        self.register_buffer('bias', None if bias is None else bias.detach())
        self._packed, self._packed_for = None, None

    def forward(self, x, other=None):
        """(N, C, H, W), and the other map (N, C', H', W'), which a sum may overwrite -> (N, C', H', W')."""
        if not (x.is_cpu and NEW_ENOUGH and torch.backends.mkldnn.is_available()):
            padding, stride, dilation, groups = self.geometry
            x = F.conv2d(x, self.weight, self.bias, stride, padding, dilation, groups)
            return ACTIVATIONS[self.activation](x if other is None else COMBINATIONS[self.combine](x, other))
        # Private operators of PyTorch, which its compiler emits.
        if other is None:
            return torch.ops.mkldnn._convolution_pointwise(
                x, self._weight_for(x), self.bias, *self.geometry, self.activation or 'none', [], ''
            )
        rest = (self._weight_for(x), self.bias, *self.geometry, self.combine, None, self.activation, [], '')
        if self.combine == 'add':
            return torch.ops.mkldnn._convolution_pointwise_(other, x, *rest)
        return torch.ops.mkldnn._convolution_pointwise(x, other, *rest)

    def __getstate__(self):
        # Weights in oneDNN's layout can be neither copied nor pickled; they are packed again.
        return self.__dict__ | dict(_packed=None, _packed_for=None)

    def _weight_for(self, x):
        """The weight in oneDNN's layout for maps of this shape; in another layout it is slow, not wrong."""
        if self._packed_for != (x.shape, x.dtype):
            self._packed = torch._C._nn.mkldnn_reorder_conv2d_weight(
                self.weight.to_mkldnn(), *self.geometry, list(x.shape)
            )
            self._packed_for = (x.shape, x.dtype)
        return self._packed


class FusedBottleneck(nn.Module):
    """A :class:`Bottleneck` with its CTL layer, fused."""

    def __init__(self, block):
        super().__init__()
        ctl, norm = block.conv2, block.bn2
        self.downsample, self.shortcut = (
            part if isinstance(part, nn.Identity) else FusedConv(part[0], *fold(*part))
            for part in (block.downsample, block.shortcut_conv)
        )
        self.reduce = FusedConv(block.conv1, *fold(block.conv1, block.bn1), activation='relu')
        self.expand = FusedConv(block.conv3, *fold(block.conv3, block.bn3), 'add', 'relu')
        hidden, bias = fold(*ctl.param_conv[1:3])
        self.register_buffer('gate_hidden', hidden.detach().flatten(1))
        self.register_buffer('gate_bias', bias.detach())
        self.register_buffer('gate_out', ctl.param_conv[4].weight.detach().flatten(1))

        # The norm after the sum of the two branches scales both; its shift goes into one bias.
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        shift = (norm.bias - norm.running_mean * scale).detach()
        tfc, ioi = ctl.temporal_conv, ctl.spatial_conv
        self.temporal = self.short = self.wide = None
        if ioi is not None:
            conv, wide = ioi.short_conv, ioi.glo_conv
            self.short = FusedConv(conv, conv.weight * scale[:, None, None, None], conv.bias * scale, 'mul')
            self.wide = nn.ModuleList(
                [
                    FusedConv(wide[0], *fold(*wide[0:2]), activation='relu'),
                    FusedConv(wide[3], *fold(*wide[3:5]), activation='relu'),
                    FusedConv(wide[6], wide[6].weight, wide[6].bias, activation='sigmoid'),
                ]
            )
            self.register_buffer('table', ioi.pos_embed.detach().clone(memory_format=torch.channels_last))
        if tfc is not None:
            weight = tfc.weight * scale[:, None, None, None]
            self.temporal = FusedConv(tfc, weight, shift, None if ioi is None else 'add', 'relu')
        else:
            self.register_buffer('shift', shift[:, None, None])

    def forward(self, x):
        """As :class:`Bottleneck`; may overwrite ``x``."""
        x = self.downsample(x)
        shortcut = self.shortcut(x)
        x = self.reduce(x)
        gate = F.linear(x.mean((2, 3)), self.gate_hidden, self.gate_bias).relu_()
        gated = x * F.linear(gate, self.gate_out).sigmoid_()[:, :, None, None]
        places = None
        if self.short is not None:
            view, table = self.wide[0](gated), self.table
            if table.shape[2:] != view.shape[2:]:
                table = F.interpolate(table, size=view.shape[2:], mode='bilinear', align_corners=True)
            places = self.short(x, self.wide[2](self.wide[1](view + table)))
        x = (places + self.shift).relu_() if self.temporal is None else self.temporal(gated, places)
        return self.expand(x, shortcut)


class FusedSqueezeTimeNet(nn.Module):
    """A :class:`SqueezeTimeNet` for inference, computing in ``dtype``."""

    def __init__(self, net, dtype):
        super().__init__()
        self.dtype = dtype
        self.stem = FusedConv(net.conv1, *fold(net.conv1, net.bn1), activation='relu')
        self.maxpool = net.maxpool
        stages = (net.layer1, net.layer2, net.layer3, net.layer4)
        self.blocks = nn.Sequential(*(FusedBottleneck(block) for stage in stages for block in stage))
        self.to(dtype)

    def forward(self, x):
        """(N, 3 x T, H, W) -> (N, D, H', W') in the dtype of ``x``."""
        y = self.stem(x.to(self.dtype).contiguous(memory_format=torch.channels_last))
        return self.blocks(self.maxpool(y)).to(x.dtype)
