"""Predicts features of masked patches from the encoder's tokens of visible ones."""

import torch
from torch import nn
from torch.nn.init import trunc_normal_

from twlv_mm.encoders import Architecture
from twlv_mm.encoders.layers import Block, init_transformer, make_norm
from twlv_mm.encoders.position import resize_table, sincos_3d


class Predictor(nn.Module):
    """A narrow transformer over the visible tokens and a mask token for each masked patch.

    All targets on masked patches share it; each has its own head. Positions are a fixed 3D sin-cos table, whatever the
    encoder uses. ``arch`` is the encoder's; V-JEPA has dims 384 and depth 12, VideoMAE half of the encoder's dims and
    4.

    Source: V-JEPA (Bardes et al. 2024), section 3.1; VideoMAE's decoder (Tong et al. 2022) is equivalent.
    """

    def __init__(self, arch, dims, depth, num_heads):
        super().__init__()
        own = Architecture(embed_dims=dims, depth=depth, num_heads=num_heads)
        self.embed = nn.Linear(arch.embed_dims, dims)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dims))
        self.register_buffer('pos_embed', sincos_3d(dims, arch.table_grid), persistent=False)
        self.blocks = nn.ModuleList(Block(own) for _ in range(depth))
        self.norm = make_norm(own)
        init_transformer(self)
        trunc_normal_(self.mask_token, std=0.02)

    def forward(self, patches, keep, masked, grid):
        """Predict features (N, M, dims) of the masked patches.

        ``patches`` (N, K, D) are the encoder's tokens of the visible patches, ``keep`` (N, K) their indices, ``masked``
        (N, M) those of the patches to predict, ``grid`` is T', H', W' of all patches.
        """
        table = resize_table(self.pos_embed, grid).flatten(1, 3)[0]
        x = torch.cat([self.embed(patches) + table[keep], self.mask_token + table[masked]], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, keep.shape[1] :])
