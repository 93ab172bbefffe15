"""With transformers 5, or without timm, ``import mmaction.models`` fails in VindLU, its only multimodal model.

mmaction2 1.2.0 enables VindLU for transformers 4.28 or newer. VindLU also imports timm, and names that newer
``transformers.modeling_utils`` dropped. If any is missing, VindLU is disabled here, and mmaction2's own placeholders
say what to install when such a model is built.
"""

import importlib.util
from pathlib import Path

import wrapt

from ._modules import is_installed

DROPPED = ('apply_chunking_to_forward', 'find_pruneable_heads_and_indices', 'prune_linear_layer')


def apply():
    """Disable VindLU if it cannot be imported, before mmaction2 tries to."""
    wrapt.register_post_import_hook(_tell, 'mmaction.utils.dependency')


def _tell(dependency):
    works = is_installed('timm.models.layers') and has_dropped_names()
    dependency.WITH_MULTIMODAL = dependency.WITH_MULTIMODAL and works


def has_dropped_names():
    """Whether the installed transformers still has the names that VindLU and mmdet import."""
    if not is_installed('transformers.modeling_utils'):
        return False
    # Read as text: importing it takes seconds.
    folder = importlib.util.find_spec('transformers').submodule_search_locations[0]
    text = Path(folder, 'modeling_utils.py').read_text(encoding='utf-8')
    return all(name in text for name in DROPPED)
