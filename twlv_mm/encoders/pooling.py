"""Pool tokens to one vector per clip, or one per frame.

The functions take tokens (N, L, D), class tokens (if any) before patches by time, height, width, and the grid
(T', H', W') of the patches.
"""

import math

import torch.nn.functional as F
from torch import nn


def mean(tokens, grid):
    """Mean of the patch tokens: (N, D). Source: TWLV-I section 2.1 ("subsequently pooled")."""
    return tokens[:, -math.prod(grid) :].mean(dim=1)


def frame(tokens, grid):
    """Mean over space that keeps time: (N, T', D). Source: TWLV-I section 2.6 (spatial pooling)."""
    return tokens[:, -math.prod(grid) :].unflatten(1, (grid[0], grid[1] * grid[2])).mean(dim=2)


def class_token(tokens, grid):
    """The class token, or the mean over the frames' class tokens: (N, D)."""
    class_tokens = tokens[:, : -math.prod(grid)]
    if class_tokens.shape[1] == 0:
        raise ValueError('this architecture has no class token: pool by mean or frame')
    return class_tokens.mean(dim=1)


POOLINGS = {'mean': mean, 'frame': frame, 'class_token': class_token}


class CrossAttention(nn.Module):
    """Multi-head attention of one sequence to another."""

    def __init__(self, dims, num_heads, output_dims):
        super().__init__()
        self.num_heads = num_heads
        self.q = nn.Linear(dims, dims)
        self.k = nn.Linear(dims, dims)
        self.v = nn.Linear(dims, dims)
        self.proj = nn.Linear(dims, output_dims)

    def forward(self, query, key, value):
        """(N, Q, D), (N, L, D), (N, L, D) -> (N, Q, D')."""
        query, key, value = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for part in (self.q(query), self.k(key), self.v(value))
        )
        x = F.scaled_dot_product_attention(query, key, value)
        return self.proj(x.transpose(1, 2).flatten(2))


class AttentionPooling(nn.Module):
    """InternVideo2's projector: the mean token attends to all tokens, including the class token.

    Source: InternVideo2, official ``AttentionPoolingBlock`` (its norms have epsilon 1e-5 in all models).
    """

    def __init__(self, arch):
        super().__init__()
        self.norm1_q = nn.LayerNorm(arch.embed_dims, eps=1e-5)
        self.norm1_k = nn.LayerNorm(arch.embed_dims, eps=1e-5)
        self.norm1_v = nn.LayerNorm(arch.embed_dims, eps=1e-5)
        self.cross_attn = CrossAttention(arch.embed_dims, arch.num_heads, arch.clip_embed_dims)

    def forward(self, tokens):
        """(N, L, D) -> (N, D')."""
        query = self.norm1_q(tokens.mean(dim=1, keepdim=True))
        return self.cross_attn(query, self.norm1_k(tokens), self.norm1_v(tokens)).squeeze(1)
