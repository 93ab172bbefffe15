"""Target: tokens of the encoder's own moving average."""

import copy

import torch
import torch.nn.functional as F

from twlv_mm.registry import MODELS

from .base import Target


@MODELS.register_module()
class LatentTarget(Target):
    """Tokens of a moving average of the encoder that sees the whole clip; ``type='twlv_mm.LatentTarget'``.

    twlv_mm.MomentumScheduleHook updates the moving average, ``encoder``, after each step of the optimizer.

    Source: V-JEPA (Bardes et al. 2024): mean absolute error to layer-normalised targets.
    """

    def __init__(self, backbone, predictor_dims, weight=1.0):
        super().__init__(predictor_dims, backbone.spec.embed_dims, weight, on='masked')
        self.encoder = copy.deepcopy(backbone).requires_grad_(False).eval()
        self.encoder.frozen = self.encoder.allow_random = True
        self.momentum = None

    @torch.no_grad()
    def update(self, backbone):
        """Take a step towards the encoder."""
        for average, parameter in zip(self.encoder.parameters(), backbone.parameters(), strict=True):
            average.lerp_(parameter, 1 - self.momentum)

    def values(self, video, grid, features):
        if self.training and self.momentum is None:
            raise RuntimeError(
                'the moving average that a LatentTarget predicts would never move: add '
                "dict(type='twlv_mm.MomentumScheduleHook') to the config's custom_hooks"
            )
        tokens = self.encoder.tokens(video)[:, -grid[0] * grid[1] * grid[2] :].float()
        return F.layer_norm(tokens, tokens.shape[-1:])

    def distance(self, predicted, values):
        return F.l1_loss(predicted, values)
