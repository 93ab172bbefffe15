"""Image models as encoders of clips: each frame is encoded alone, and the frames' vectors are averaged."""

import torch

from .encoder import Encoder
from .pooling import POOLINGS

NUM_FRAMES = 16  # of a clip, where nobody says otherwise: an image model takes any number


def join_frames(tokens, time, patches):
    """Put the tokens of frames into the order of :meth:`twlv_mm.Encoder.encode`.

    Args:
        tokens (Tensor): (N * T, P + L, D): of each frame P class tokens, then its patches.
        time (int): T.
        patches (int): L.

    Returns:
        Tensor: (N, T * P + T * L, D): the class tokens of all frames, then all patches.
    """
    frames = tokens.unflatten(0, (-1, time))
    split = frames.split([tokens.shape[1] - patches, patches], dim=2)
    return torch.cat([part.flatten(1, 2) for part in split], dim=1)


def split_frames(tokens, grid):
    """Undo :func:`join_frames`.

    Args:
        tokens (Tensor): (N, T * P + T * L, D).
        grid (tuple[int, int, int]): T, height and width, whose product is L, of the patches.

    Returns:
        Tensor: (N * T, P + L, D).
    """
    time, patches = grid[0], grid[1] * grid[2]
    split = tokens.split([tokens.shape[1] - time * patches, time * patches], dim=1)
    return torch.cat([part.unflatten(1, (time, -1)) for part in split], dim=2).flatten(0, 1)


class PerFrameEncoder(Encoder):
    """Base of encoders that encode each frame of a clip alone: a subclass defines :meth:`encode_frames`.

    Its spec has ``per_frame=True`` and as many steps of time in its grid as there are frames.
    """

    def encode_frames(self, frames):
        """Encode pictures: what a subclass defines.

        Args:
            frames (Tensor): (M, 3, H, W) float, normalised by ``spec.mean`` and ``spec.std``.

        Returns:
            tuple[Tensor, tuple[int, int]]: tokens (M, P + H' * W', D), class tokens first; and H', W' of the patches.
        """
        raise NotImplementedError(
            f'{type(self).__name__} has to define encode_frames(frames) -> tokens, (height, width)'
        )

    def pool_frames(self, tokens, size):
        """Pool the tokens of each picture to one vector; a subclass may pool and project by itself.

        Args:
            tokens (Tensor): (M, P + H' * W', D), as of :meth:`encode_frames`.
            size (tuple[int, int]): H', W'.

        Returns:
            Tensor: (M, D').
        """
        return POOLINGS[self.spec.pooling](tokens, (1, *size))

    def encode(self, video):
        """See :meth:`twlv_mm.Encoder.encode`."""
        time = video.shape[2]
        tokens, (height, width) = self.encode_frames(video.transpose(1, 2).flatten(0, 1))
        return join_frames(tokens, time, height * width), (time, height, width)

    def own_pooling(self, tokens, grid):
        """The mean of the frames' vectors; see :meth:`twlv_mm.Encoder.own_pooling`."""
        vectors = self.pool_frames(split_frames(tokens, grid), grid[1:])
        return vectors.unflatten(0, (-1, grid[0])).mean(dim=1)
