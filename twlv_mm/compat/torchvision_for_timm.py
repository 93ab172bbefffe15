"""``import timm`` needs torchvision, and torchvision a torch that it was compiled for.

timm 1.0 takes a norm that some detectors use, and its data augmentation, from torchvision; its models need nothing of
it. torchvision from PyPI is built against CUDA: next to a CPU build of torch its import ends in "operator
torchvision::nms does not exist". Where torchvision is missing or does not work, stand-ins that raise when they are used
are there while timm is imported, and are gone afterwards.
"""

import importlib
import sys
import types
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

from mmengine.logging import print_log


def apply():
    """Make sure that timm can be imported.

    Raises:
        ModuleNotFoundError: if timm is not installed.
    """
    if 'timm' in sys.modules:
        return
    try:
        importlib.import_module('torchvision.ops')
    except Exception as error:  # a compiled module that does not fit can fail in any way
        reason = f'{type(error).__name__}: {error}'
        with stand_in():
            importlib.import_module('timm')
        print_log(f'timm is used without torchvision, which cannot be imported ({reason})', 'current')


@contextmanager
def stand_in():
    """``import torchvision`` and what is below it give a stand-in; afterwards they are as they were."""
    finder = _Finder()
    forget()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        forget()


def forget():
    """Leave nothing of an import of torchvision that has failed half-way, or of the stand-in."""
    for name in [name for name in sys.modules if name.partition('.')[0] == 'torchvision']:
        del sys.modules[name]


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.partition('.')[0] == 'torchvision' else None

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        pass


class _Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return _Anything(name, (), {})


class _Anything(type):
    """Anything of torchvision's: it can be derived from and asked for its members, but not called."""

    def __getattr__(cls, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return _Anything(name, (), {})

    def __call__(cls, *args, **kwargs):
        raise ImportError(f'{cls.__name__} is of torchvision, which is missing or does not fit torch')
