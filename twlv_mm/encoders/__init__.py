"""Encoders: clips (N, 3, T, H, W) to tokens, feature maps and vectors.

One configurable vision transformer (vit.py) and SqueezeTime (squeezetime.py); what tells the models apart is a row of
a table (architectures.py). Weights are read from files (checkpoint.py) in the layouts of their authors (layouts.py),
which converter.py rewrites; config_backbone.py reads which encoder a config names.
"""

from .architectures import ARCHITECTURES, Architecture, get_architecture
from .checkpoint import file_sha256, load_weights, read_checkpoint
from .config_backbone import backbone_of
from .converter import ConversionReport, convert_checkpoint
from .layouts import FAMILIES, encoder_state
from .pooling import POOLINGS
from .squeezetime import SqueezeTime
from .vit import VideoVisionTransformer, patchify, take
from .zoo import get_model, list_models

__all__ = [
    'ARCHITECTURES',
    'FAMILIES',
    'POOLINGS',
    'Architecture',
    'ConversionReport',
    'SqueezeTime',
    'VideoVisionTransformer',
    'backbone_of',
    'convert_checkpoint',
    'encoder_state',
    'file_sha256',
    'get_architecture',
    'get_model',
    'list_models',
    'load_weights',
    'patchify',
    'read_checkpoint',
    'take',
]
