"""The transformer block that every encoder here is built of."""

import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from torch import nn


class Attention(nn.Module):
    """Joint multi-head self-attention over all tokens.

    Args:
        dims (int): Channels of a token.
        num_heads (int): Heads; divides ``dims``.
    """

    def __init__(self, dims, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dims, 3 * dims)
        self.proj = nn.Linear(dims, dims)

    def forward(self, x):
        """(N, L, D) -> (N, L, D)."""
        n, length, dims = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, self.num_heads, dims // self.num_heads).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(n, length, dims))


class MLP(nn.Module):
    """Two linear layers with a GELU between them.

    Args:
        dims (int): Channels of a token.
        hidden_dims (int): Channels between the layers.
    """

    def __init__(self, dims, hidden_dims):
        super().__init__()
        self.fc1 = nn.Linear(dims, hidden_dims)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden_dims, dims)

    def forward(self, x):
        """(…, D) -> (…, D)."""
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    """Pre-norm transformer block: attention, then MLP, each with a residual and stochastic depth.

    Args:
        arch (Architecture): Widths and norm.
        drop_path_rate (float): Probability that a sample skips a branch in training.
    """

    def __init__(self, arch, drop_path_rate=0.0):
        super().__init__()
        dims = arch.embed_dims
        self.norm1 = nn.LayerNorm(dims, eps=arch.norm_eps)
        self.attn = Attention(dims, arch.num_heads)
        self.norm2 = nn.LayerNorm(dims, eps=arch.norm_eps)
        self.mlp = MLP(dims, int(dims * arch.mlp_ratio))
        self.drop_path = DropPath(drop_path_rate) if drop_path_rate else nn.Identity()

    def forward(self, x):
        """(N, L, D) -> (N, L, D)."""
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))
