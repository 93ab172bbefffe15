"""``import mmaction.models`` fails on DRN: mmaction2 1.2.0's wheel lacks its folder, a clone's copy needs torchvision.

With a stand-in, everything else in ``mmaction.models`` imports, and building the model says what is missing.
"""

import sys
import types

import wrapt

from ._modules import is_installed

NAME = 'mmaction.models.localizers.drn'


class DRN:
    """Stand-in for mmaction2's temporal grounding model DRN; building it raises ImportError."""

    def __init__(self, *args, **kwargs):
        if is_installed(NAME):
            raise ImportError('DRN needs torchvision: install the version that matches your torch')
        raise ImportError(
            'DRN is not part of the installed mmaction2: its wheel lacks the folder mmaction/models/localizers/drn. '
            'Install mmaction2 from a clone of its repository, and torchvision, if you need this model.'
        )


def apply():
    """Put the stand-in where mmaction2 looks for DRN, if DRN or torchvision is missing."""
    if NAME in sys.modules or not is_installed('mmaction') or (is_installed(NAME) and is_installed('torchvision')):
        return
    package, module = types.ModuleType(NAME), types.ModuleType(f'{NAME}.drn')
    package.__path__ = []
    package.drn, module.DRN = module, DRN
    sys.modules[package.__name__] = package
    sys.modules[module.__name__] = module
    wrapt.register_post_import_hook(_register, 'mmaction.models.localizers')


def _register(localizers):
    # So that type='DRN' in a config raises the error above, not that of an unknown name.
    from mmaction.registry import MODELS

    MODELS.register_module(module=DRN, force=True)
