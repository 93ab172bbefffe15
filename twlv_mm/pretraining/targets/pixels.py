"""Target: pixels of the masked patches."""

import math

import torch.nn.functional as F

from twlv_mm.encoders import patchify
from twlv_mm.registry import MODELS

from .base import Target


@MODELS.register_module()
class PixelTarget(Target):
    """Pixels; ``type='twlv_mm.PixelTarget'``.

    ``per_patch`` normalises each patch and channel to mean 0 and variance 1, which gives texture the weight of contrast
    and removes brightness and colour; otherwise each clip and channel, which removes only the overall colour.

    Source: VideoMAE (Tong et al. 2022), its code's ``normlize_target``; squared error.
    """

    def __init__(self, backbone, predictor_dims, weight=1.0, per_patch=True):
        self.size = backbone.patch_embed.proj.kernel_size
        self.per_patch = per_patch
        super().__init__(predictor_dims, 3 * math.prod(self.size), weight, on='masked')

    def values(self, video, grid, features):
        # The normalisation of the input, a factor and an offset per channel, cancels out.
        if not self.per_patch:
            return patchify(_normalise(video.float().flatten(2)).view_as(video), self.size)
        return _normalise(patchify(video.float(), self.size).unflatten(2, (3, -1))).flatten(2)

    def distance(self, predicted, values):
        return F.mse_loss(predicted, values)


def _normalise(values):
    return (values - values.mean(-1, keepdim=True)) / (values.std(-1, keepdim=True) + 1e-6)
