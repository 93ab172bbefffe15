"""What all reconstruction targets share."""

from dataclasses import dataclass

import torch
from torch import nn

from twlv_mm.encoders import take

PLACES = ('masked', 'visible', 'clip')


@dataclass
class View:
    """What the model made of N clips under a mask.

    Args:
        visible (Tensor): (N, K, D), the encoder's tokens of the patches that it saw.
        keep (Tensor): (N, K) int64, their places.
        predicted (Tensor | None): (N, M, P), the predictor's features of masked patches; where a target wants them.
        masked (Tensor): (N, M) int64, their places.
        pooled (Tensor): (N, D'), the encoder's own pooling of what it saw.
    """

    visible: torch.Tensor
    keep: torch.Tensor
    predicted: torch.Tensor | None
    masked: torch.Tensor
    pooled: torch.Tensor


class Target(nn.Module):
    """Something to reconstruct, a linear head for it, and how far off the reconstruction is.

    Args:
        width (int | None): Channels of the features that the head gets; None where there is no predictor.
        dims (int): Channels of the values.
        weight (float): Factor of its loss.
        on (str): Where its loss is taken: on 'masked' patches, from the predictor; on 'visible' ones, from the encoder
            (alignment); or once a 'clip', from the encoder's pooled vector.

    Raises:
        ValueError: if there is no such place, or nothing to predict with.
    """

    def __init__(self, width, dims, weight, on):
        super().__init__()
        if on not in PLACES:
            raise ValueError(f'a target cannot be on={on!r}; there are {", ".join(PLACES)}')
        if width is None:
            raise ValueError(
                f'{type(self).__name__} is on masked patches, and there is nothing to predict them with: give the '
                'pretrainer a predictor=dict(dims=384, depth=4, num_heads=6), say'
            )
        self.weight = weight
        self.on = on
        self.head = nn.Linear(width, dims)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def values(self, video, grid, features):
        """What is to be reconstructed; computed without a graph, once for all masks of a step.

        Args:
            video (Tensor): (N, 3, T, H, W), as the encoder gets it.
            grid (tuple[int, int, int]): T', H', W'; L patches.
            features (dict[str, Features]): What each teacher says, by its name.

        Returns:
            Tensor: (N, L, C), or (N, C) for a clip; float32.
        """
        raise NotImplementedError

    def distance(self, predicted, values):
        """The loss, a scalar: two tensors (N, M, C) or (N, C), float32."""
        raise NotImplementedError

    def forward(self, view, values):
        """The weighted loss of a view.

        Args:
            view (View): What the model made of it.
            values (Tensor): Of :meth:`values`.

        Returns:
            Tensor: scalar.
        """
        if self.on == 'clip':
            return self.weight * self.distance(self.head(view.pooled).float(), values)
        features, places = (view.predicted, view.masked) if self.on == 'masked' else (view.visible, view.keep)
        return self.weight * self.distance(self.head(features).float(), take(values, places))
