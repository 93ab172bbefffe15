"""The transformer block that every encoder here is built of."""

import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from torch import nn

from .position import rotate


def make_norm(arch, dims=None):
    """The norm of an architecture over the last axis, ``embed_dims`` wide unless said."""
    kind = {'layer': nn.LayerNorm, 'rms': nn.RMSNorm}[arch.norm]
    return kind(dims or arch.embed_dims, eps=arch.norm_eps)


class QuickGELU(nn.Module):
    """The approximation of GELU that CLIP was trained with."""

    def forward(self, x):
        """Elementwise."""
        return x * (1.702 * x).sigmoid()


class Attention(nn.Module):
    """Joint multi-head self-attention over all tokens.

    Args:
        arch (Architecture): Width, heads, biases, norm of queries and keys.
    """

    def __init__(self, arch):
        super().__init__()
        self.num_heads = arch.num_heads
        self.qkv = nn.Linear(arch.embed_dims, 3 * arch.embed_dims, bias=arch.qkv_bias)
        self.q_norm = make_norm(arch) if arch.qk_norm else nn.Identity()
        self.k_norm = make_norm(arch) if arch.qk_norm else nn.Identity()
        self.proj = nn.Linear(arch.embed_dims, arch.embed_dims)

    def forward(self, x, rotation=None):
        """(N, L, D) -> (N, L, D); ``rotation`` from :func:`twlv_mm.encoders.position.rope_3d`."""
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in (self.q_norm(q), self.k_norm(k), v)
        )
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Two linear layers with an activation between them.

    Args:
        arch (Architecture): Widths and activation.
    """

    def __init__(self, arch):
        super().__init__()
        self.fc1 = nn.Linear(arch.embed_dims, arch.hidden_dims)
        self.act = {'gelu': nn.GELU, 'quick_gelu': QuickGELU}[arch.activation]()
        self.fc2 = nn.Linear(arch.hidden_dims, arch.embed_dims)

    def forward(self, x):
        """(…, D) -> (…, D)."""
        return self.fc2(self.act(self.fc1(x)))


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
