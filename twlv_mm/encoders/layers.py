"""The transformer block of every encoder."""

import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from torch import nn
from torch.nn.init import trunc_normal_

from .position import rotate


def make_norm(arch):
    """The norm of an architecture, over the channels of a token."""
    kind = {'layer': nn.LayerNorm, 'rms': nn.RMSNorm}[arch.norm]
    return kind(arch.embed_dims, eps=arch.norm_eps)


class QuickGELU(nn.Module):
    """The approximation of GELU that CLIP was trained with."""

    def forward(self, x):
        return x * (1.702 * x).sigmoid()


class Attention(nn.Module):
    """Joint multi-head self-attention over all tokens."""

    def __init__(self, arch):
        super().__init__()
        self.num_heads = arch.num_heads
        self.qkv = nn.Linear(arch.embed_dims, 3 * arch.embed_dims, bias=arch.qkv_bias)
        self.q_norm = make_norm(arch) if arch.qk_norm else nn.Identity()
        self.k_norm = make_norm(arch) if arch.qk_norm else nn.Identity()
        self.proj = nn.Linear(arch.embed_dims, arch.embed_dims)

    def forward(self, x, rotation=None):
        """(N, L, D) -> (N, L, D); ``rotation`` from :func:`twlv_mm.encoders.position.rope_3d`."""
        x = F.scaled_dot_product_attention(*self._qkv(x, rotation))
        return self.proj(x.transpose(1, 2).flatten(2))

    def received(self, x, rotation=None, queries=None, rows=64):
        """The attention that each token receives, averaged over heads and queries.

        Args:
            x (Tensor): (N, L, D), as for :meth:`forward`.
            rotation (tuple[Tensor, Tensor], optional): As for :meth:`forward`.
            queries (int, optional): Only the first so many tokens are queries; all if None.
            rows (int): Queries whose weights are in memory at a time.

        Returns:
            Tensor: (N, L) float32, each row sums to 1.
        """
        q, k, _ = self._qkv(x, rotation)
        q = q[:, :, :queries] * q.shape[-1] ** -0.5
        parts = ((part @ k.transpose(2, 3)).float().softmax(-1).sum((1, 2)) for part in q.split(rows, dim=2))
        return sum(parts) / (q.shape[1] * q.shape[2])

    def _qkv(self, x, rotation):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in (self.q_norm(q), self.k_norm(k), v)
        )
        return (q, k, v) if rotation is None else (rotate(q, rotation), rotate(k, rotation), v)


class MLP(nn.Module):
    """Two linear layers with an activation between them."""

    def __init__(self, arch):
        super().__init__()
        self.fc1 = nn.Linear(arch.embed_dims, arch.hidden_dims)
        self.act = {'gelu': nn.GELU, 'quick_gelu': QuickGELU}[arch.activation]()
        self.fc2 = nn.Linear(arch.hidden_dims, arch.embed_dims)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


def init_transformer(module):
    """Initialise linear layers and convolutions, and scale down the residual branches of ``module.blocks`` with depth.

    As in BEiT and V-JEPA, so that deep models start stable.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv3d):
            trunc_normal_(part.weight, std=0.02)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    for depth, block in enumerate(module.blocks, start=1):
        block.attn.proj.weight.data.div_((2 * depth) ** 0.5)
        block.mlp.fc2.weight.data.div_((2 * depth) ** 0.5)


class Block(nn.Module):
    """Pre-norm transformer block: attention, then MLP, each with a residual and stochastic depth.

    Args:
        arch (Architecture): Widths, norms, activation.
        drop_path_rate (float): Probability that a sample skips a branch in training.
    """

    def __init__(self, arch, drop_path_rate=0.0):
        super().__init__()
        self.norm1 = make_norm(arch)
        self.attn = Attention(arch)
        self.norm2 = make_norm(arch)
        self.mlp = MLP(arch)
        self.drop_path = DropPath(drop_path_rate) if drop_path_rate else nn.Identity()

    def forward(self, x, rotation=None):
        """(N, L, D) -> (N, L, D)."""
        x = x + self.drop_path(self.attn(self.norm1(x), rotation))
        return x + self.drop_path(self.mlp(self.norm2(x)))
