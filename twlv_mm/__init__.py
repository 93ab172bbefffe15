"""TWLV-I for OpenMMLab: a video encoder and the paper's evaluation of video foundation models.

Importing the package works around known defects of the OpenMMLab stack on today's Python (``twlv_mm.compat``) and makes
``type='twlv_mm.Name'`` and ``_base_ = 'twlv_mm::twlv/k400_linear.py'`` work in configs.
"""

import sys

# With python -m, files in the current folder would shadow torch, or even re.
if sys.argv[:1] == ['-m'] and 'twlv_mm' in sys.orig_argv and not getattr(sys.flags, 'safe_path', False):
    sys.path.pop(0)

from .diagnosis import explained

__version__ = '0.1.0'

# The imports below need the whole stack; if part of it is missing or broken, the error names the fix.
with explained():
    from . import compat

    compat.apply()  # before anything else imports mmcv, mmdet or mmaction

    from .embeddings import Embedding, embed, mteb_model
    from .encoders import Encoder, EncoderSpec, describe, get_model, list_models, wrap

    from . import search  # isort: skip

__all__ = [
    'Embedding',
    'Encoder',
    'EncoderSpec',
    '__version__',
    'describe',
    'embed',
    'get_model',
    'list_models',
    'mteb_model',
    'search',
    'wrap',
]
