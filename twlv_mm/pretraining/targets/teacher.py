"""Targets: features of frozen teachers, of each token or of the whole clip."""

import torch.nn.functional as F

from twlv_mm.registry import MODELS

from .base import Target


class _Normalised(Target):
    """Squared distance of the features, both scaled to length 1: 2 - 2 cosine, as in UMT (Li et al. 2023)."""

    def distance(self, predicted, values):
        return 2 - 2 * F.cosine_similarity(predicted, values, dim=-1).mean()


@MODELS.register_module()
class TeacherTokens(_Normalised):
    """Features of each patch of the pretrainer's ``teacher`` of that name; ``type='twlv_mm.TeacherTokens'``.

    With ``on='visible'``, the encoder's tokens of visible patches are aligned with the teacher's, as in UMT; with
    'masked', those of the others are predicted.
    """

    def __init__(self, backbone, predictor_dims, teachers, teacher, weight=1.0, on='visible'):
        width = backbone.spec.embed_dims if on == 'visible' else predictor_dims
        super().__init__(width, teachers[teacher].dims, weight, on)
        self.teacher = teacher

    def values(self, video, grid, features):
        return features[self.teacher].tokens


@MODELS.register_module()
class TeacherClip(_Normalised):
    """A teacher's pooled vector of the clip, from the encoder's own; ``type='twlv_mm.TeacherClip'``."""

    def __init__(self, backbone, predictor_dims, teachers, teacher, weight=1.0):
        super().__init__(backbone.spec.embedding_dims, teachers[teacher].pooled_dims, weight, on='clip')
        self.teacher = teacher

    def values(self, video, grid, features):
        return features[self.teacher].pooled
