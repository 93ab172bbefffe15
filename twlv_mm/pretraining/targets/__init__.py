"""What the masked encoder is to reconstruct: one small class each, with its own head and loss.

A new one subclasses :class:`Target`, says what its values are, and is registered in MODELS; nothing else changes.
"""

from .base import Target, View
from .latent import LatentTarget
from .pixels import PixelTarget
from .teacher import TeacherClip, TeacherTokens

__all__ = ['LatentTarget', 'PixelTarget', 'Target', 'TeacherClip', 'TeacherTokens', 'View']
