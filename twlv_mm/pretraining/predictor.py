"""From what the encoder says of the visible patches to features of the masked ones."""

import torch
from torch import nn
from torch.nn.init import trunc_normal_

from twlv_mm.encoders import Architecture
from twlv_mm.encoders.layers import Block, init_transformer, make_norm
from twlv_mm.encoders.position import resize_table, sincos_3d


class Predictor(nn.Module):
    """A narrow transformer over visible tokens and one mask token for each masked patch.

    All targets that are to be predicted share it; each has a head of its own. Positions are a fixed 3D sin-cos table,
    whatever the encoder's are.

    Args:
        arch (Architecture): Of the encoder.
        dims (int): Width. V-JEPA: 384; VideoMAE: half of the encoder's.
        depth (int): Blocks. V-JEPA: 12; VideoMAE: 4.
        num_heads (int): Attention heads.

    Source: V-JEPA (Bardes et al. 2024), section 3.1; VideoMAE's decoder (Tong et al. 2022) is the same thing.
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
        """Predict.

        Args:
            patches (Tensor): (N, K, D), the encoder's tokens of the visible patches.
            keep (Tensor): (N, K) int64, their places.
            masked (Tensor): (N, M) int64, places of what to predict.
            grid (tuple[int, int, int]): T', H', W' of all patches.

        Returns:
            Tensor: (N, M, dims).
        """
        table = resize_table(self.pos_embed, grid).flatten(1, 3)[0]
        x = torch.cat([self.embed(patches) + table[keep], self.mask_token + table[masked]], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x[:, keep.shape[1] :])
