"""``import mmaction.models`` fails on DRN: mmaction2 1.2.0's wheel lacks it, in a clone it needs torchvision.

The package's ``__init__`` imports ``DRN`` from a folder that was never packed, and that imports torchvision at once. A
stand-in takes its place: everything else in ``mmaction.models`` imports, and building the model says what is missing.
"""

import sys
import types

import wrapt

from ._modules import is_installed

NAME = 'mmaction.models.localizers.drn'


class DRN:
    """Stands for mmaction2's temporal grounding model DRN.

    Raises:
        ImportError: whenever it is built.
    """

    def __init__(self, *args, **kwargs):
        if is_installed(NAME):
            raise ImportError('DRN needs torchvision, in the version that goes with your torch: install it')
        raise ImportError(
            'DRN is not part of the installed mmaction2: its wheel lacks the folder mmaction/models/localizers/drn. '
            'Install mmaction2 from a clone of its repository, and torchvision, if you need this model.'
        )


def apply():
    """Put the stand-in where mmaction2 looks for DRN, if that or torchvision is missing."""
    if NAME in sys.modules or not is_installed('mmaction') or (is_installed(NAME) and is_installed('torchvision')):
        return
    package, module = types.ModuleType(NAME), types.ModuleType(f'{NAME}.drn')
    package.__path__ = []
    package.drn, module.DRN = module, DRN
    sys.modules[package.__name__] = package
    sys.modules[module.__name__] = module
    wrapt.register_post_import_hook(_register, 'mmaction.models.localizers')


def _register(localizers):
    # A config with type='DRN' then meets the error above instead of an unknown name.
    from mmaction.registry import MODELS

    MODELS.register_module(module=DRN, force=True)
