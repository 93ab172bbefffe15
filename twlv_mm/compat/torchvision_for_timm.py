"""``import timm`` needs a torchvision that matches torch, although timm's models do not use it.

torchvision from PyPI is built for CUDA: next to a CPU build of torch its import ends in "operator torchvision::nms does
not exist". If torchvision cannot be imported, a stand-in that raises on use is there while timm is imported.
"""

import importlib
import sys
import types
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

from mmengine.logging import print_log


def apply():
    """Make sure that timm, if installed, can be imported."""
    if 'timm' in sys.modules:
        return
    try:
        importlib.import_module('torchvision.ops')
    except Exception as error:  # a mismatched compiled module can raise anything
        reason = f'{type(error).__name__}: {error}'
        with stand_in():
            importlib.import_module('timm')
        print_log(f'timm is used without torchvision, which cannot be imported ({reason})', 'current')


@contextmanager
def stand_in():
    """Make ``import torchvision`` and its submodules give a stand-in within this context."""
    finder = _Finder()
    forget()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        forget()


def forget():
    """Drop a half-imported torchvision, or the stand-in, from ``sys.modules``."""
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
    """Any class of torchvision: it has subclasses and attributes, but cannot be called."""

    def __getattr__(cls, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return _Anything(name, (), {})

    def __call__(cls, *args, **kwargs):
        raise ImportError(f'{cls.__name__} needs torchvision, which is missing or does not match torch')
