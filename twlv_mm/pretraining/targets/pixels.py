"""Pixels of the masked patches."""

import math

import torch.nn.functional as F

from twlv_mm.encoders import patchify
from twlv_mm.registry import MODELS

from .base import Target


@MODELS.register_module()
class PixelTarget(Target):
    """Pixels, each patch and channel normalised to mean 0 and variance 1; ``type='twlv_mm.PixelTarget'``.

    Args:
        backbone (VideoVisionTransformer): The encoder.
        predictor_dims (int): Width of the predictor.
        weight (float): Factor of its loss.

    Source: VideoMAE (Tong et al. 2022), its code's ``normlize_target``; squared error.
    """

    def __init__(self, backbone, predictor_dims, weight=1.0):
        self.size = backbone.patch_embed.proj.kernel_size
        super().__init__(predictor_dims, 3 * math.prod(self.size), weight, on='masked')

    def values(self, video, grid, features):
        """See :class:`Target`."""
        # The normalisation of the input, one factor and offset a channel, cancels.
        patches = patchify(video.float(), self.size).unflatten(2, (3, -1))
        return ((patches - patches.mean(-1, keepdim=True)) / (patches.std(-1, keepdim=True) + 1e-6)).flatten(2)

    def distance(self, predicted, values):
        """See :class:`Target`."""
        return F.mse_loss(predicted, values)
