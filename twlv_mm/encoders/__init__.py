"""Encoders: clips (N, 3, T, H, W) to tokens, feature maps and vectors.

One configurable vision transformer (vit.py) and SqueezeTime (squeezetime.py); what tells the models apart is a row of
a table (architectures.py). Weights are read from files (checkpoint.py) in the layouts of their authors (layouts.py,
layouts_hf.py), which converter.py rewrites; official.py says where they are published. encoder.py is the base of all
encoders, and of a user's own; sources.py finds one by the string that names it, with its numbers (spec.py), in the
table or through a provider (hf_models.py, timm_models.py, mmaction_models.py). config_encoder.py is how a config asks
for its encoder.
"""

from mmaction.registry import MODELS as MMACTION_MODELS

from twlv_mm.registry import MODELS

from .architectures import ARCHITECTURES, Architecture, get_architecture
from .checkpoint import load_weights, read_checkpoint, sets_of
from .config_encoder import (
    EncoderError,
    embeddings_folder,
    encoder_in,
    folder_of_embeddings,
    frame_interval,
    is_config,
    parsed_encoder,
    read_config,
    slug,
    spec_of,
)
from .converter import ConversionReport, convert_checkpoint
from .encoder import Encoder
from .encoder import Wrapped as wrap
from .hf_files import file_sha256, weights_sha256
from .layouts import FAMILIES, encoder_state
from .official import official_weights
from .pooling import POOLINGS
from .sources import describe, get_model, list_models, text_encoder
from .spec import EncoderSpec
from .squeezetime import SqueezeTime
from .vit import VideoVisionTransformer, patchify, take

__all__ = [
    'ARCHITECTURES',
    'FAMILIES',
    'POOLINGS',
    'Architecture',
    'ConversionReport',
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
    'load_weights',
    'official_weights',
    'parsed_encoder',
    'patchify',
    'read_checkpoint',
    'read_config',
    'sets_of',
    'slug',
    'spec_of',
    'take',
    'text_encoder',
    'weights_sha256',
    'wrap',
]

# As backbones in mmaction2's own configs, without our prefix; what another package calls so there stays its own.
for _name in ('VideoViT', 'SqueezeTime', 'Encoder'):
    if _name not in MMACTION_MODELS.module_dict:
        MMACTION_MODELS.register_module(name=_name, module=MODELS.module_dict[_name])
