"""The one configurable video vision transformer."""

import math
from contextlib import nullcontext

import torch
from mmengine.model import BaseModule
from torch import nn
from torch.nn.init import trunc_normal_
from torch.utils.checkpoint import checkpoint

from twlv_mm.registry import MODELS

from .architectures import get_architecture
from .checkpoint import load_weights
from .layers import Block
from .pooling import POOLINGS
from .position import TABLES, resize_table


class PatchEmbed(nn.Module):
    """Cut a video into patches of ``tubelet_size`` frames and project each to a token.

    Args:
        arch (Architecture): Patch sizes and width.
    """

    def __init__(self, arch):
        super().__init__()
        size = (arch.tubelet_size, arch.patch_size, arch.patch_size)
        self.proj = nn.Conv3d(3, arch.embed_dims, kernel_size=size, stride=size)

    def forward(self, video):
        """(N, 3, T, H, W) -> (N, D, T', H', W')."""
        return self.proj(video)


# mmaction2's layer-decay constructor knows a ViT by 'VisionTransformer' in the name of its class.
@MODELS.register_module(name='VideoViT')
class VideoVisionTransformer(BaseModule):
    """Video vision transformer with joint space-time attention; in configs ``type='twlv_mm.VideoViT'``.

    Called as a module it is an mmaction2 backbone: (N, 3, T, H, W) normalised float -> (N, D, T', H', W').

    Args:
        arch (str): Name of a row of the table, see :func:`twlv_mm.list_models`.
        weights (str, optional): Checkpoint: this project's or an official one, told apart by its keys.
        frozen (bool): Stay in eval mode, build no graph, train nothing.
        allow_random (bool): Let a frozen encoder run without weights. Otherwise its first use is an error, so that
            nobody trains a probe on noise without knowing.
        drop_path_rate (float): Stochastic depth of the last block; grows linearly from 0 at the first.
        with_cp (bool): Recompute each block in the backward pass instead of keeping its activations.
        **overrides: Numbers of the row to change: img_size, patch_size, num_frames, tubelet_size, embed_dims, depth,
            num_heads, mlp_ratio.

    Attributes:
        arch (Architecture): The row, overrides applied.
        arch_name (str): Its name.
        weights_sha256 (str | None): Hash of the file given as ``weights``.
        pretraining_sets (tuple[str] | None): Data sets of the published weights, where weights were given.

    Source: TWLV-I section 2.1; Dosovitskiy et al. 2021; Arnab et al. 2021 for tubelets.
    """

    def __init__(
        self, arch, *, weights=None, frozen=False, allow_random=False, drop_path_rate=0.0, with_cp=False, **overrides
    ):
        super().__init__()
        self.arch_name = arch
        self.arch = arch = get_architecture(arch, **overrides)
        self.frozen = frozen
        self.allow_random = allow_random
        self.with_cp = with_cp
        self.patch_embed = PatchEmbed(arch)
        if arch.class_token:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, arch.embed_dims))
        self.register_buffer('pos_embed', TABLES[arch.position](arch.embed_dims, arch.grid))
        self.blocks = nn.ModuleList(
            Block(arch, drop_path_rate * depth / max(arch.depth - 1, 1)) for depth in range(arch.depth)
        )
        self.norm = nn.LayerNorm(arch.embed_dims, eps=arch.norm_eps)

        self._has_weights = False
        self.weights_sha256 = None
        self.pretraining_sets = None
        self._init_parameters()
        if weights is not None:
            self.weights_sha256 = load_weights(self, weights)
            self.pretraining_sets = arch.pretraining_sets
        if frozen:
            self.requires_grad_(False)
            self.eval()

    def _init_parameters(self):
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv3d):
                trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        # Residual branches shrink with depth, as in BEiT and V-JEPA, so that deep encoders start stable.
        for depth, block in enumerate(self.blocks, start=1):
            block.attn.proj.weight.data.div_((2 * depth) ** 0.5)
            block.mlp.fc2.weight.data.div_((2 * depth) ** 0.5)

    def init_weights(self):
        """Nothing to do: parameters are initialised, and weights loaded, at construction."""

    def train(self, mode=True):
        """Switch to training mode, unless the encoder is frozen."""
        return super().train(mode and not self.frozen)

    def forward(self, video):
        """Encode clips to a feature map.

        Args:
            video (Tensor): (N, 3, T, H, W) normalised float; T a multiple of the tubelet, H and W of the patch. Frame
                counts and resolutions other than the native ones resize the position table.

        Returns:
            Tensor: (N, D, T', H', W'), final norm applied.

        Raises:
            ValueError: if the shape does not fit the patches.
            RuntimeError: if the encoder is frozen, has no weights and does not allow that.
        """
        tokens, grid = self._encode(video)
        patches = tokens[:, int(self.arch.class_token) :]
        return patches.transpose(1, 2).unflatten(2, grid)

    def tokens(self, video):
        """Encode clips to tokens.

        Args:
            video (Tensor): As in :meth:`forward`.

        Returns:
            Tensor: (N, L, D), class token first where the architecture has one, then patches by time, height, width.
        """
        return self._encode(video)[0]

    def embed(self, video, pooling=None):
        """Encode clips to vectors.

        Args:
            video (Tensor): As in :meth:`forward`.
            pooling (str, optional): 'mean', 'frame' or 'class_token'; the architecture's own if None.

        Returns:
            Tensor: (N, D); (N, T', D) with 'frame'.
        """
        pooling = pooling or self.arch.pooling
        if pooling not in POOLINGS:
            raise ValueError(f'there is no pooling {pooling!r}; there are {", ".join(POOLINGS)}')
        return POOLINGS[pooling](*self._encode(video))

    def _encode(self, video):
        if self.frozen and not (self._has_weights or self.allow_random):
            raise RuntimeError(
                f'the frozen encoder {self.arch_name} has no weights, so its features are noise. Give them with '
                '--cfg-options encoder_weights=PATH (or weights=PATH in the backbone), load a checkpoint that holds '
                'them, or say allow_random=True in the backbone if random features are what you want.'
            )
        grid = self._grid(video)
        with torch.no_grad() if self.frozen else nullcontext():
            x = self.patch_embed(video).flatten(2).transpose(1, 2)
            x = x + resize_table(self.pos_embed, grid).flatten(1, 3).to(x.dtype)
            if self.arch.class_token:
                x = torch.cat([self.cls_token.to(x.dtype).expand(len(x), -1, -1), x], dim=1)
            for block in self.blocks:
                if self.with_cp and self.training and torch.is_grad_enabled():
                    x = checkpoint(block, x, use_reentrant=False)
                else:
                    x = block(x)
            return self.norm(x), grid

    def _grid(self, video):
        if video.ndim != 5 or video.shape[1] != 3:
            raise ValueError(f'video has shape {tuple(video.shape)}; expected (N, 3, T, H, W)')
        time, height, width = video.shape[2:]
        tubelet, patch = self.arch.tubelet_size, self.arch.patch_size
        if time % tubelet or height % patch or width % patch or 0 in (time, height, width):
            raise ValueError(
                f'a clip of {time} frames of {height} x {width} pixels cannot be cut into patches of {tubelet} frames '
                f'of {patch} x {patch} pixels: resize the frames, or sample a multiple of {tubelet} frames'
            )
        return time // tubelet, height // patch, width // patch

    def _load_from_state_dict(self, state_dict, prefix, *args):
        # Called for every way to load: ours, mmengine's load_checkpoint, a Recognizer3D around us.
        key = prefix + 'pos_embed'
        table = state_dict.get(key)
        if table is not None:
            self._has_weights = True
            if table.ndim == 3:  # the official layouts keep the table flat
                for grid in (self.arch.grid, get_architecture(self.arch_name).grid):
                    if table.shape[1] == math.prod(grid):
                        table = table.unflatten(1, grid)
                        break
            if table.ndim == 5:
                state_dict[key] = resize_table(table, self.arch.grid)
        super()._load_from_state_dict(state_dict, prefix, *args)
