"""What every encoder has in common: the three ways to call it, freezing, and no use of a frozen one without weights."""

import math
from contextlib import nullcontext

import torch
from mmengine.model import BaseModule

from .architectures import get_architecture
from .checkpoint import load_weights
from .pooling import POOLINGS


class VideoEncoder(BaseModule):
    """Base of the encoders. A subclass builds its layers, calls :meth:`_set_up`, and defines :meth:`_encode`.

    Args:
        arch (str): Name of a row of the table, see :func:`twlv_mm.list_models`.
        frozen (bool): Stay in eval mode, build no graph, train nothing.
        allow_random (bool): Let a frozen encoder run without weights. Otherwise its first use is an error, so that
            nobody trains a probe on noise without knowing.
        **overrides: Numbers of the row to change.

    Attributes:
        arch (Architecture): The row, overrides applied.
        arch_name (str): Its name.
        weights_sha256 (str | None): Hash of the file given as ``weights``.
        pretraining_sets (tuple[str] | None): Data sets of the published weights, where weights were given.
    """

    first_weight = None  # a key of the state dict by which weights are known to be loaded
    left_out = ()  # beginnings of keys of the model's files that this variant of it has no use for
    kind = None  # class of the rows that the subclass builds

    def __init__(self, arch, frozen, allow_random, **overrides):
        super().__init__()
        self.arch_name = arch
        self.arch = get_architecture(arch, **overrides)
        if not isinstance(self.arch, self.kind):
            raise ValueError(
                f'{arch} is not built by {type(self).__name__}: in configs, VideoViT is the type of vision '
                'transformers, SqueezeTime that of squeezetime_r50'
            )
        self.frozen = frozen
        self.allow_random = allow_random
        self._has_weights = False
        self.weights_sha256 = None
        self.pretraining_sets = None

    def _set_up(self, weights):
        """Load weights, if any, and freeze, if asked: the last step of a subclass's constructor."""
        if weights is not None:
            self.weights_sha256 = load_weights(self, weights)
            self.pretraining_sets = self.arch.pretraining_sets
        if self.frozen:
            self.requires_grad_(False)
            self.eval()

    def init_weights(self):
        """Nothing to do: parameters are initialised, and weights loaded, at construction."""

    def train(self, mode=True):
        """Switch to training mode, unless the encoder is frozen."""
        return super().train(mode and not self.frozen)

    def forward(self, video):
        """Encode clips to a feature map.

        Args:
            video (Tensor): (N, 3, T, H, W) normalised float, of a size that the encoder takes.

        Returns:
            Tensor: (N, D, T', H', W'), final norm applied where the architecture has one.

        Raises:
            ValueError: if the shape does not fit the encoder.
            RuntimeError: if the encoder is frozen, has no weights and does not allow that.
        """
        tokens, grid = self._encode_checked(video)
        return tokens[:, -math.prod(grid) :].transpose(1, 2).unflatten(2, grid)

    def tokens(self, video):
        """Encode clips to tokens.

        Args:
            video (Tensor): As in :meth:`forward`.

        Returns:
            Tensor: (N, L, D), class token first where the architecture has one (those of all frames where it encodes
            each alone), then patches by time, height, width.
        """
        return self._encode_checked(video)[0]

    def embed(self, video, pooling=None):
        """Encode clips to vectors.

        Args:
            video (Tensor): As in :meth:`forward`.
            pooling (str, optional): 'mean', 'frame' or 'class_token', without projection; the architecture's own,
                with its projection, if None.

        Returns:
            Tensor: (N, D); (N, T', D) with 'frame'; (N, D') where the architecture projects.

        Raises:
            ValueError: if there is no such pooling, or no class token to pool by.
        """
        if pooling not in (None, *POOLINGS):
            raise ValueError(f'there is no pooling {pooling!r}; there are {", ".join(POOLINGS)}')
        return self.pool(*self._encode_checked(video), pooling)

    def pool(self, tokens, grid, pooling=None):
        """Pool tokens to vectors.

        Args:
            tokens (Tensor): (N, L, D) of :meth:`tokens`, all patches.
            grid (tuple[int, int, int]): T', H', W' of the patches.
            pooling (str, optional): As in :meth:`embed`.

        Returns:
            Tensor: As :meth:`embed`.
        """
        return self._pool(tokens, grid) if pooling is None else self._pool_by(pooling, tokens, grid)

    def _pool(self, tokens, grid):
        """The architecture's own pooling, with its projection: (N, L, D) -> (N, D')."""
        return self._pool_by(self.arch.pooling, tokens, grid)

    def _pool_by(self, pooling, tokens, grid):
        """A pooling by name, without projection: (N, L, D) -> (N, D), or (N, T', D) with 'frame'."""
        return POOLINGS[pooling](tokens, grid)

    def _encode(self, video):
        """(N, 3, T, H, W) -> tokens (N, L, D) and their grid (T', H', W')."""
        raise NotImplementedError

    def _encode_checked(self, video, **options):
        if self.frozen and not (self._has_weights or self.allow_random):
            raise RuntimeError(
                f'the frozen encoder {self.arch_name} has no weights, so its features are noise. Give them with '
                '--cfg-options encoder_weights=PATH (or weights=PATH in the backbone), load a checkpoint that holds '
                'them, or say allow_random=True in the backbone if random features are what you want.'
            )
        self._check_shape(video)
        with torch.no_grad() if self.frozen else nullcontext():
            return self._encode(video, **options)

    def _check_shape(self, video):
        if video.ndim != 5 or video.shape[1] != 3:
            raise ValueError(f'video has shape {tuple(video.shape)}; expected (N, 3, T, H, W)')

    def _load_from_state_dict(self, state_dict, prefix, *args):
        # Called for every way to load: ours, mmengine's load_checkpoint, a Recognizer3D around us.
        self._has_weights |= f'{prefix}{self.first_weight}' in state_dict
        for key in [key for key in state_dict if key.startswith(tuple(prefix + start for start in self.left_out))]:
            del state_dict[key]
        super()._load_from_state_dict(state_dict, prefix, *args)
