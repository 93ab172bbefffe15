"""Targets that the masked encoder reconstructs: one small class each, with its own head and loss.

A new one subclasses :class:`Target`, implements ``values`` and ``distance``, and is registered in MODELS.
"""

from .base import Target, View
from .latent import LatentTarget
from .pixels import PixelTarget
from .teacher import TeacherClip, TeacherTokens

__all__ = ['LatentTarget', 'PixelTarget', 'Target', 'TeacherClip', 'TeacherTokens', 'View']
