"""Encoders: clips (N, 3, T, H, W) to tokens, feature maps and vectors.

One configurable vision transformer (vit.py) and SqueezeTime (squeezetime.py); what tells the models apart is a row of
a table (architectures.py).
"""

from .architectures import ARCHITECTURES, Architecture, get_architecture
from .checkpoint import file_sha256, load_weights, read_checkpoint
from .layouts import encoder_state
from .pooling import POOLINGS
from .squeezetime import SqueezeTime
from .vit import VideoVisionTransformer
from .zoo import get_model, list_models

__all__ = [
    'ARCHITECTURES',
    'POOLINGS',
    'Architecture',
    'SqueezeTime',
    'VideoVisionTransformer',
    'encoder_state',
    'file_sha256',
    'get_architecture',
    'get_model',
    'list_models',
    'load_weights',
    'read_checkpoint',
]
