"""Where transformers is installed, every ``import mmengine`` imports it, which takes seconds.

mmengine 0.10.7 does so to register transformers' Adafactor. Here, a function of that name is registered in its place,
which imports transformers when a config asks for the optimizer.
"""

import importlib.util
import sys
import types

BUILDER = 'mmengine.optim.optimizer.builder'


def Adafactor(params, **settings):  # mmengine fills in its first argument by name
    """Build transformers' Adafactor."""
    from transformers import Adafactor

    return Adafactor(params, **settings)


def apply():
    """Import mmengine's registration of optimizers beside a module with nothing but this function."""
    if 'transformers' in sys.modules or BUILDER in sys.modules or not importlib.util.find_spec('transformers'):
        return
    stand_in = types.ModuleType('transformers')
    stand_in.__spec__ = importlib.util.find_spec('transformers')
    stand_in.Adafactor = Adafactor
    sys.modules['transformers'] = stand_in
    try:
        importlib.import_module(BUILDER)
    finally:
        del sys.modules['transformers']
