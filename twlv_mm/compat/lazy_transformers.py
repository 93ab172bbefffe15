"""mmengine 0.10.7 and mmdet 3.3.0 import transformers whenever it is installed, even if unused.

mmengine does so to register an optimizer, mmdet in four files of text-prompted detectors; it adds two seconds of CPU
time to every program. Here these files see a stand-in for ``transformers`` whose names import the real one on use.
mmdet's ``vlfuse_helper`` subclasses transformers' classes and uses names that transformers 5 dropped; with those
missing it handles their absence itself.
"""

import importlib
import sys
import types
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder

from .multimodal import has_dropped_names

VLFUSE = 'mmdet.models.utils.vlfuse_helper'
FILES = (
    'mmengine.optim.optimizer.builder',
    'mmdet.datasets.transforms.text_transformers',
    'mmdet.models.dense_heads.atss_vlfusion_head',
    'mmdet.models.language_models.bert',
    VLFUSE,
)


def apply():
    """Let these files import a stand-in for transformers, unless the real one is already imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def Adafactor(params, **settings):  # mmengine passes the first argument by its name
    return importlib.import_module('transformers').Adafactor(params, **settings)


class _Name:
    """A class of transformers that is imported on use."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        return getattr(getattr(importlib.import_module('transformers'), self._name), attribute)


class _Finder(MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname not in FILES or 'transformers' in sys.modules or not PathFinder.find_spec('transformers'):
            return None
        if fullname == VLFUSE and has_dropped_names():
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            run = spec.loader.exec_module
            spec.loader.exec_module = lambda module: _beside_stand_in(run, module)
        return spec


def _beside_stand_in(run, module):
    if 'transformers' in sys.modules:
        return run(module)
    stand_in = types.ModuleType('transformers')
    stand_in.Adafactor = Adafactor
    for name in ('AutoTokenizer', 'BertConfig', 'BertModel'):
        setattr(stand_in, name, _Name(name))
    sys.modules['transformers'] = stand_in
    try:
        return run(module)
    finally:
        if sys.modules.get('transformers') is stand_in:
            del sys.modules['transformers']
