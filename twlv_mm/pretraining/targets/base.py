"""Base class of the reconstruction targets."""

from dataclasses import dataclass

import torch
from torch import nn

from twlv_mm.encoders import take

PLACES = ('masked', 'visible', 'clip')


@dataclass
class View:
    """The model's output for N clips under a mask."""

    visible: torch.Tensor  # (N, K, D), the encoder's tokens of the visible patches
    keep: torch.Tensor  # (N, K) int64, their indices
    predicted: torch.Tensor | None  # (N, M, P), the predictor's features of masked patches, if a target needs them
    masked: torch.Tensor  # (N, M) int64, their indices
    pooled: torch.Tensor  # (N, D'), the encoder's own pooling of the visible patches


class Target(nn.Module):
    """A reconstruction target, with a linear head and a loss.

    Args:
        width (int | None): Channels of the head's input; None without a predictor.
        dims (int): Channels of the values.
        weight (float): Factor of its loss.
        on (str): What its loss is on: 'masked' patches, from the predictor; 'visible' ones, from the encoder
            (alignment); or the 'clip', from the encoder's pooled vector.
    """

    def __init__(self, width, dims, weight, on):
        super().__init__()
        if on not in PLACES:
            raise ValueError(f'a target cannot be on={on!r}; choose from {", ".join(PLACES)}')
        if width is None:
            raise ValueError(
                f'{type(self).__name__} is on masked patches, which need a predictor: give the pretrainer '
                'predictor=dict(dims=384, depth=4, num_heads=6), say'
            )
        self.weight = weight
        self.on = on
        self.head = nn.Linear(width, dims)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def values(self, video, grid, features):
        """The values to reconstruct, (N, L, C), or (N, C) for a clip, float32; computed once for all masks of a step.

        ``video`` is (N, 3, T, H, W), as the encoder gets it, ``grid`` T', H', W' of its L patches, ``features`` the
        :class:`Features` of each teacher, by name.
        """
        raise NotImplementedError

    def distance(self, predicted, values):
        """The loss, a scalar, of two float32 tensors (N, M, C) or (N, C)."""
        raise NotImplementedError

    def forward(self, view, values):
        """The weighted loss of a view, given its :meth:`values`."""
        if self.on == 'clip':
            return self.weight * self.distance(self.head(view.pooled).float(), values)
        features, places = (view.predicted, view.masked) if self.on == 'masked' else (view.visible, view.keep)
        return self.weight * self.distance(self.head(features).float(), take(values, places))
