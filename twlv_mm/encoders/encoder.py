"""The base of all encoders: how they are called, frozen and loaded; a frozen one without weights is refused."""

import math
from contextlib import nullcontext

import torch
from mmengine.model import BaseModule

from .pooling import POOLINGS
from .weight_loading import load_plain_weights


class Encoder(BaseModule):
    """Base of all encoders, and of your own: give it a ``spec`` and define :meth:`encode`.

    As a module it is an mmaction2 backbone. A subclass is used as ``'package.module:NAME'`` wherever an encoder is
    named::

        class MeanColour(twlv_mm.Encoder):
            spec = twlv_mm.EncoderSpec(name='mean_colour', num_frames=8, img_size=64, grid=(8, 1, 1), embed_dims=3,
                                       num_heads=1)

            def encode(self, video):
                return video.mean((3, 4)).transpose(1, 2), (video.shape[2], 1, 1)

    Args:
        spec (EncoderSpec, optional): Its description, unless the class has one.

    Attributes:
        frozen (bool): Stay in eval mode, build no graph, train nothing.
        allow_random (bool): Let a frozen encoder run without weights. Otherwise its first use is an error, so that no
            probe is trained on noise by mistake.
        weights_sha256 (str | None): Hash of the file or files given as ``weights``.
        pretraining_sets (tuple[str] | None): Datasets that the weights were trained on, from their file or, for
            official weights, the spec. None if unknown. Can be set.
    """

    spec = None
    own_weights = None  # file or folder of the source itself, loaded if no other weights are given
    overrides = ''  # settings of the source that were changed and are not in its spec, as 'key=value, ...'
    inner = ''  # key prefix of a wrapped model, which that model's own files lack
    left_out = ()  # key prefixes of the model's files that this variant ignores

    def __init__(self, spec=None):
        super().__init__()
        if spec is not None:
            self.spec = spec
        self.frozen = self.allow_random = self._has_weights = False
        self.weights_sha256 = None
        self.pretraining_sets = None

    def set_up(self, weights=None, frozen=False, allow_random=False):
        """Load weights, if any, and freeze, if asked; called by :func:`twlv_mm.get_model`.

        Args:
            weights (str, optional): A file or folder, as for :meth:`load`; ``own_weights`` if None.
            frozen (bool): See the class.
            allow_random (bool): See the class.

        Returns:
            Encoder: itself.
        """
        self.frozen, self.allow_random = frozen, allow_random
        if weights is None and torch.empty(0).device.type != 'meta':  # where nothing is to be loaded
            weights = self.own_weights
        if weights is not None:
            self.pretraining_sets = self.spec.pretraining_sets  # unless the file says otherwise
            self.weights_sha256 = self.load(weights)
        if frozen:
            self.requires_grad_(False)
            self.eval()
        return self

    @property
    def is_random(self):
        """Whether it has parameters and no weights were loaded into them."""
        return not self._has_weights and any(True for _ in self.parameters())

    def load(self, path):
        """Load weights, strictly; a subclass may accept more layouts.

        Args:
            path (str): A file or folder with the state dict of the encoder, or of a model that has it as ``backbone``.

        Returns:
            str: SHA-256, in hex.

        Raises:
            FileNotFoundError: if the file does not exist.
            ValueError: if it cannot be read, or holds other weights; the message names the keys.
        """
        return load_plain_weights(self, path)

    def encode(self, video):
        """Encode clips; defined by a subclass.

        Args:
            video (Tensor): (N, 3, T, H, W) float, normalised by ``spec.mean`` and ``spec.std``.

        Returns:
            tuple[Tensor, tuple[int, int, int] | None]: tokens (N, L, D), class tokens first, then those of the feature
            map by time, height, width; and T', H', W' of the map, or None without a map.
        """
        raise NotImplementedError(f'{type(self).__name__} must define encode(video) -> tokens, grid')

    def own_pooling(self, tokens, grid):
        """Pool tokens (N, L, D) to (N, ``spec.embedding_dims``) as the architecture does; may be overridden."""
        return self.pool(tokens, grid, self.spec.pooling)

    def init_weights(self):
        """Do nothing: parameters are initialised, and weights loaded, at construction."""

    def train(self, mode=True):
        """Switch to training mode, unless the encoder is frozen."""
        return super().train(mode and not self.frozen)

    def forward(self, video):
        """Encode clips to a feature map.

        Args:
            video (Tensor): (N, 3, T, H, W) normalised float, of a size that the encoder takes.

        Returns:
            Tensor: (N, D, T', H', W'), after the final norm if the architecture has one.

        Raises:
            ValueError: if the shape does not fit the encoder, or it has no feature map.
            RuntimeError: if the encoder is frozen and has no weights, without ``allow_random``.
        """
        tokens, grid = self.tokens_and_grid(video)
        if grid is None:
            self.spec.require_map('This task')
        return tokens[:, -math.prod(grid) :].transpose(1, 2).unflatten(2, grid)

    def tokens(self, video):
        """Encode clips to tokens (N, L, D): class tokens (of all frames) first, then patches by time, height, width."""
        return self.tokens_and_grid(video)[0]

    def tokens_and_grid(self, video, **options):
        """As :meth:`encode`, with checks, and without a graph if the encoder is frozen."""
        if self.frozen and not self.allow_random and self.is_random:
            raise RuntimeError(
                f'the frozen encoder {self.spec.name} has no weights, so its features are noise. Give them with '
                '--cfg-options encoder_weights=PATH (or weights=PATH in the backbone), load a checkpoint that holds '
                'them, or set allow_random=True in the backbone if random features are what you want.'
            )
        self._check_shape(video)
        with torch.no_grad() if self.frozen else nullcontext():
            return self.encode(video, **options)

    def embed(self, video, pooling=None):
        """Encode clips to vectors.

        Args:
            video (Tensor): As in :meth:`forward`.
            pooling (str, optional): 'mean', 'frame' or 'class_token', without projection; by default the architecture's
                own, with its projection.

        Returns:
            Tensor: (N, D); (N, T', D) with 'frame'; (N, D') with the architecture's projection.
        """
        if pooling not in (None, *POOLINGS):
            raise ValueError(f'unknown pooling {pooling!r}; choose from {", ".join(POOLINGS)}')
        tokens, grid = self.tokens_and_grid(video)
        with torch.no_grad() if self.frozen else nullcontext():
            return self.own_pooling(tokens, grid) if pooling is None else self.pool(tokens, grid, pooling)

    def pool(self, tokens, grid, pooling=None):
        """Pool tokens to vectors.

        Args:
            tokens (Tensor): (N, L, D) of :meth:`tokens`, all patches.
            grid (tuple[int, int, int] | None): T', H', W' of the patches; None if they have no positions.
            pooling (str, optional): As in :meth:`embed`.

        Returns:
            Tensor: As :meth:`embed`.
        """
        if pooling is None:
            return self.own_pooling(tokens, grid)
        if grid is None:
            if pooling != 'mean':
                raise ValueError(f'{self.spec.name} has no feature map: pool by mean')
            return tokens.mean(dim=1)
        return POOLINGS[pooling](tokens, grid)

    def _check_shape(self, video):
        if video.ndim != 5 or video.shape[1] != 3:
            raise ValueError(f'video has shape {tuple(video.shape)}; expected (N, 3, T, H, W)')

    def _load_from_state_dict(self, state_dict, prefix, *args):
        # Called on every way of loading: ours, mmengine's load_checkpoint, a Recognizer3D around the encoder.
        # Where loading is not strict, a tensor of another size is left out; tables of positions take the file's size.
        self._has_weights |= all(
            (given := state_dict.get(f'{prefix}{name}')) is not None
            and (given.shape == parameter.shape or name.endswith('pos_embed'))
            for name, parameter in self.named_parameters()
        )
        for key in [key for key in state_dict if key.startswith(tuple(prefix + start for start in self.left_out))]:
            del state_dict[key]
        super()._load_from_state_dict(state_dict, prefix, *args)


class Wrapped(Encoder):
    """An encoder of any module that takes clips (N, 3, T, H, W): ``twlv_mm.wrap(module, spec)``.

    Args:
        module (nn.Module): Gives a map (N, D, T', H', W'), tokens (N, L, D) in the order of :meth:`Encoder.encode`, or
            vectors (N, D).
        spec (EncoderSpec): Its description. With tokens, ``spec.grid`` says how many of them are the map's.
    """

    inner = 'module.'

    def __init__(self, module, spec):
        super().__init__(spec)
        self.module = module

    def train(self, mode=True):
        """As of :class:`Encoder`; programs of torch.export refuse it, because the export has fixed their mode."""
        try:
            return super().train(mode)
        except NotImplementedError:
            return self

    def encode(self, video):
        out = self.module(video)
        if out.ndim == 5:
            tokens, grid = out.flatten(2).transpose(1, 2), tuple(out.shape[2:])
        elif out.ndim == 3:
            tokens, grid = out, self._grid(video) if self.spec.grid else None
        elif out.ndim == 2:
            tokens, grid = out.unsqueeze(1), None
        else:
            raise ValueError(
                f"the module of {self.spec.name} returned {tuple(out.shape)}; expected (N, D, T', H', W'), (N, L, D) "
                'or (N, D)'
            )
        if tokens.shape[-1] != self.spec.embed_dims or (grid is None) != (self.spec.grid is None):
            raise ValueError(
                f'the module of {self.spec.name} returned {tuple(out.shape)}, which does not fit its spec: '
                f'embed_dims={self.spec.embed_dims}, grid={self.spec.grid}'
            )
        if grid and tokens.shape[1] < math.prod(grid):
            raise ValueError(f'{self.spec.name} returned {tokens.shape[1]} tokens; its spec has a grid of {grid}')
        return tokens, grid

    def _grid(self, video):
        """The grid of a clip of this size, from the strides of the spec's grid."""
        time, height, width = video.shape[2:]
        patch = self.spec.patch_size
        return math.ceil(time / self.spec.tubelet_size), math.ceil(height / patch), math.ceil(width / patch)
