"""Image models as encoders of clips: each frame is encoded alone, and the frames' vectors are averaged."""

import torch

from .encoder import Encoder
from .pooling import POOLINGS

NUM_FRAMES = 16  # default for image models, which take any number


def join_frames(tokens, time, patches):
    """Order the tokens of frames as :meth:`twlv_mm.Encoder.encode` does.

    Args:
        tokens (Tensor): (N * T, P + L, D): P class tokens of each frame, then its patches.
        time (int): T.
        patches (int): L.

    Returns:
        Tensor: (N, T * P + T * L, D): the class tokens of all frames, then all patches.
    """
    frames = tokens.unflatten(0, (-1, time))
    split = frames.split([tokens.shape[1] - patches, patches], dim=2)
    return torch.cat([part.flatten(1, 2) for part in split], dim=1)


def split_frames(tokens, grid):
    """Undo :func:`join_frames`: (N, T * P + T * L, D) -> (N * T, P + L, D); ``grid`` is T, height, width."""
    time, patches = grid[0], grid[1] * grid[2]
    split = tokens.split([tokens.shape[1] - time * patches, time * patches], dim=1)
    return torch.cat([part.unflatten(1, (time, -1)) for part in split], dim=2).flatten(0, 1)


class PerFrameEncoder(Encoder):
    """Base of encoders that encode each frame of a clip alone: a subclass defines :meth:`encode_frames`.

    Its spec has ``per_frame=True``, and one time step per frame in its grid.
    """

    def encode_frames(self, frames):
        """Encode images; defined by a subclass.

        Args:
            frames (Tensor): (M, 3, H, W) float, normalised by ``spec.mean`` and ``spec.std``.

        Returns:
            tuple[Tensor, tuple[int, int]]: tokens (M, P + H' * W', D), class tokens first; and H', W' of the patches.
        """
        raise NotImplementedError(f'{type(self).__name__} must define encode_frames(frames) -> tokens, (height, width)')

    def pool_frames(self, tokens, size):
        """Pool the tokens (M, P + H' * W', D) of each image to (M, D'), ``size`` being H', W'; may be overridden."""
        return POOLINGS[self.spec.pooling](tokens, (1, *size))

    def encode(self, video):
        time = video.shape[2]
        tokens, (height, width) = self.encode_frames(video.transpose(1, 2).flatten(0, 1))
        return join_frames(tokens, time, height * width), (time, height, width)

    def own_pooling(self, tokens, grid):
        """The mean of the frames' vectors."""
        vectors = self.pool_frames(split_frames(tokens, grid), grid[1:])
        return vectors.unflatten(0, (-1, grid[0])).mean(dim=1)
