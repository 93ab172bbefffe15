"""The configurable video vision transformer."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.init import trunc_normal_
from torch.utils.checkpoint import checkpoint

from twlv_mm.registry import MODELS

from .architectures import Architecture
from .layers import Block, init_transformer, make_norm
from .per_frame import join_frames
from .pooling import AttentionPooling
from .position import TABLES, resize_table, rope_3d
from .table_encoder import TableEncoder


class PatchEmbed(nn.Module):
    """Cut a video into patches of ``tubelet_size`` frames and project each to a token."""

    def __init__(self, arch):
        super().__init__()
        size = (arch.tubelet_size, arch.patch_size, arch.patch_size)
        self.proj = nn.Conv3d(3, arch.embed_dims, kernel_size=size, stride=size, bias=arch.patch_bias)

    def forward(self, video, keep=None):
        """(N, 3, T, H, W) -> (N, T', H', W', D); with indices of patches ``keep`` (N, K), (N, K, D) of those only."""
        if keep is None:
            return self.proj(video).movedim(1, -1)
        patches = take(patchify(video, self.proj.kernel_size), keep)
        return F.linear(patches, self.proj.weight.flatten(1), self.proj.bias)


def patchify(video, size):
    """Cut a video into patches.

    Args:
        video (Tensor): (N, C, T, H, W), multiples of the patch.
        size (tuple[int, int, int]): Frames, height and width of a patch.

    Returns:
        Tensor: (N, T' * H' * W', C * t * h * w), ordered as a 3D convolution's weights.
    """
    time, height, width = size
    video = video.unflatten(4, (-1, width)).unflatten(3, (-1, height)).unflatten(2, (-1, time))
    return video.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4).flatten(1, 3)


def take(tokens, places):
    """Select tokens of each clip: (N, L, D) and indices (N, K) int64 -> (N, K, D)."""
    return tokens.gather(1, places.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))


# mmaction2's layer-decay constructor recognises a ViT by 'VisionTransformer' in its class name.
@MODELS.register_module(name='VideoViT')
class VideoVisionTransformer(TableEncoder):
    """Video vision transformer with joint space-time attention; in configs ``type='twlv_mm.VideoViT'``.

    As a module it is an mmaction2 backbone: (N, 3, T, H, W) normalised float -> (N, D, T', H', W'); T a multiple of the
    tubelet, H and W of the patch. For other numbers of frames and resolutions, the position table is resized.

    Args:
        arch (str): Name of a row of the table, see :func:`twlv_mm.list_models`.
        weights, frozen, allow_random: As for :func:`twlv_mm.get_model`.
        drop_path_rate (float): Stochastic depth of the last block; grows linearly from 0 at the first.
        with_cp (bool): Recompute each block in the backward pass instead of keeping its activations.
        **overrides: Numbers of the row to change: img_size, patch_size, num_frames, tubelet_size, embed_dims, depth,
            num_heads, mlp_ratio; output_dims of CLIP, clip_embed_dims of InternVideo2.

    Source: TWLV-I section 2.1; Dosovitskiy et al. 2021; Arnab et al. 2021 for tubelets.
    """

    kind = Architecture

    def __init__(
        self, arch, *, weights=None, frozen=False, allow_random=False, drop_path_rate=0.0, with_cp=False, **overrides
    ):
        super().__init__(arch, **overrides)
        arch = self.arch
        self.with_cp = with_cp
        self.patch_embed = PatchEmbed(arch)
        if arch.class_token:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, arch.embed_dims))
        if arch.position == 'learnable':
            self.pos_embed = nn.Parameter(torch.zeros(1, *arch.table_grid, arch.embed_dims))
        elif arch.position in TABLES:
            # On the meta device, torch would import its compiler for this, which takes a second.
            with torch.device('cpu'):
                table = TABLES[arch.position](arch.embed_dims, arch.table_grid)
            self.register_buffer('pos_embed', table.to(self.patch_embed.proj.weight.device))
        self.norm_pre = make_norm(arch) if arch.pre_norm else nn.Identity()
        self.blocks = nn.ModuleList(
            Block(arch, drop_path_rate * depth / max(arch.depth - 1, 1)) for depth in range(arch.depth)
        )
        self.norm = make_norm(arch) if arch.final_norm else nn.Identity()
        self.fc_norm = nn.Identity()
        if arch.clip_embed_dims:
            self.projector = AttentionPooling(arch)
        elif arch.output_dims:
            self.projector = nn.Linear(arch.embed_dims, arch.output_dims, bias=False)
        self._init_parameters()
        self.set_up(weights, frozen, allow_random)

    def _init_parameters(self):
        init_transformer(self)
        for parameter in self.parameters(recurse=False):  # class token and learnable positions
            trunc_normal_(parameter, std=0.02)

    def tokens(self, video, keep=None):
        """Encode clips to tokens.

        Args:
            video (Tensor): As in :meth:`forward`.
            keep (Tensor, optional): (N, K) int64, indices of the patches of each clip to encode, in order of time,
                height, width. For masked pretraining: the others are not computed.

        Returns:
            Tensor: (N, L, D), class tokens (of all frames) first, then patches by time, height, width; with ``keep``
            those K patches, in the order given.
        """
        return self.tokens_and_grid(video, keep=keep)[0]

    def own_pooling(self, tokens, grid):
        if self.arch.pooling == 'attention':
            return self.projector(tokens)
        vectors = super().own_pooling(tokens, grid)
        return self.projector(vectors) if self.arch.output_dims else vectors

    def pool(self, tokens, grid, pooling=None):
        vectors = super().pool(tokens, grid, pooling)
        return vectors if pooling is None else self.fc_norm(vectors)

    def encode(self, video, keep=None):
        if keep is not None and self.arch.per_frame:
            raise ValueError(f'{self.arch_name} encodes each frame alone, so patches of a clip cannot be masked')
        grid = self.grid(video)
        x = self.patch_embed(video, keep)
        if self.arch.per_frame:
            x = x.flatten(0, 1).unsqueeze(1)
        seen = grid if keep is not None else tuple(x.shape[1:4])
        x = x.flatten(1, -2)
        rotation = None
        if self.arch.position == 'rope_3d':
            rotation = rope_3d(self.arch.embed_dims // self.arch.num_heads, seen, like=x)
            if keep is not None:
                rotation = tuple(part[keep].unsqueeze(1) for part in rotation)
        else:
            table = resize_table(self.pos_embed, seen, self.arch.per_frame).flatten(1, 3).to(x.dtype)
            x = x + (table if keep is None else table[0][keep])
        if self.arch.class_token:
            x = torch.cat([self.cls_token.to(x.dtype).expand(len(x), -1, -1), x], dim=1)
        x = self.norm_pre(x)
        for block in self.blocks:
            if self.with_cp and self.training and torch.is_grad_enabled():
                x = checkpoint(block, x, rotation, use_reentrant=False)
            else:
                x = block(x, rotation)
        x = self.norm(x)
        if self.arch.per_frame:
            x = join_frames(x, grid[0], math.prod(seen))
        return x, grid

    def grid(self, video):
        """The grid T', H', W' of patches of clips (N, 3, T, H, W); ValueError if they cannot be cut into patches."""
        self._check_shape(video)
        time, height, width = video.shape[2:]
        tubelet, patch = self.arch.tubelet_size, self.arch.patch_size
        if time % tubelet or height % patch or width % patch or 0 in (time, height, width):
            raise ValueError(
                f'a clip of {time} frames of {height} x {width} pixels cannot be cut into patches of {tubelet} frames '
                f'of {patch} x {patch} pixels: resize the frames, or sample a multiple of {tubelet} frames'
            )
        return time // tubelet, height // patch, width // patch

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if f'{prefix}fc_norm.weight' in state_dict and isinstance(self.fc_norm, nn.Identity):
            # Fine-tuned UMT and VideoMAE normalise the mean of the tokens, not the tokens. The parameters stay the same
            # objects, because an optimizer may already have them.
            self.norm, self.fc_norm = self.fc_norm, self.norm
        table = state_dict.get(f'{prefix}pos_embed')
        if table is not None and table.ndim == 5:
            state_dict[f'{prefix}pos_embed'] = resize_table(table, self.arch.table_grid, self.arch.per_frame)
        super()._load_from_state_dict(state_dict, prefix, *args)
