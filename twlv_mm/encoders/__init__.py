"""Encoders: clips (N, 3, T, H, W) to tokens, feature maps and vectors.

``get_model`` (sources.py) builds one from its name: a row of the table (architectures.py), which is a vision
transformer (vit.py) or SqueezeTime, or a model of transformers (hf_models.py), timm or mmaction2. encoder.py is the
base class of them all, checkpoint.py reads their weights, and config_encoder.py finds the encoder of a config.
"""

from mmaction.registry import MODELS as MMACTION_MODELS

from twlv_mm.registry import MODELS

from .architectures import ARCHITECTURES, Architecture, get_architecture
from .checkpoint import UNKNOWN, read_checkpoint, sets_of
from .checkpoint_layouts import FAMILIES, encoder_state
from .config_encoder import (
    EncoderError,
    embeddings_folder,
    encoder_in,
    folder_of_embeddings,
    frame_interval,
    is_config,
    parsed_encoder,
    read_config,
    spec_of,
)
from .converter import convert_checkpoint
from .encoder import Encoder
from .encoder import Wrapped as wrap
from .hf_files import file_sha256, weights_sha256
from .pooling import POOLINGS
from .published_weights import official_weights
from .sources import describe, get_model, list_models, text_encoder
from .spec import EncoderSpec
from .squeezetime import SqueezeTime
from .vit import VideoVisionTransformer, patchify, take

__all__ = [
    'ARCHITECTURES',
    'FAMILIES',
    'POOLINGS',
    'UNKNOWN',
    'Architecture',
    'Encoder',
    'EncoderError',
    'EncoderSpec',
    'SqueezeTime',
    'VideoVisionTransformer',
    'convert_checkpoint',
    'describe',
    'embeddings_folder',
    'encoder_in',
    'encoder_state',
    'file_sha256',
    'folder_of_embeddings',
    'frame_interval',
    'get_architecture',
    'get_model',
    'is_config',
    'list_models',
    'official_weights',
    'parsed_encoder',
    'patchify',
    'read_checkpoint',
    'read_config',
    'sets_of',
    'spec_of',
    'take',
    'text_encoder',
    'weights_sha256',
    'wrap',
]

# Backbones in mmaction2's own configs, without our prefix, unless another package has taken the name.
for _name in ('VideoViT', 'SqueezeTime', 'Encoder'):
    if _name not in MMACTION_MODELS.module_dict:
        MMACTION_MODELS.register_module(name=_name, module=MODELS.module_dict[_name])
