"""The registries of twlv_mm: scope ``twlv_mm``, each a child of mmengine's root registry.

The parent is mmengine's root, not mmaction2's registry, so that ``type='twlv_mm.Name'`` resolves from every scope: a
child of mmaction's registry is not found from inside a model that sets ``_scope_='mmdet'``, a child of the root is.
"""

from mmengine import registry as root
from mmengine.registry import Registry

__all__ = [
    'DATASETS',
    'DATA_SAMPLERS',
    'HOOKS',
    'LOOPS',
    'METRICS',
    'MODELS',
    'MODEL_WRAPPERS',
    'OPTIM_WRAPPERS',
    'OPTIM_WRAPPER_CONSTRUCTORS',
    'TRANSFORMS',
]


def _registry(name, parent, *locations):
    """A registry whose modules are imported in this order until a name is found (``compat.scoped_names``).

    Modules that import mmaction2's models or mmdet therefore come last.
    """
    return Registry(name, parent=parent, scope='twlv_mm', locations=[f'twlv_mm.{one}' for one in locations])


_TASKS = ('recognition', 'localization', 'segmentation', 'pretraining')
_HEADS = ('recognition.recognizer', 'recognition.probe_heads', 'recognition.probe_sweep')
_LISTS = 'recognition.segment_dataset'

MODELS = _registry('model', root.MODELS, 'encoders', *_TASKS, *_HEADS, 'detection')
DATASETS = _registry('dataset', root.DATASETS, *_TASKS, _LISTS, 'detection')
TRANSFORMS = _registry('transform', root.TRANSFORMS, 'video', *_TASKS, _LISTS, 'detection')
HOOKS = _registry('hook', root.HOOKS, 'engine', *_TASKS, 'detection')
METRICS = _registry('metric', root.METRICS, *_TASKS, 'detection')
DATA_SAMPLERS = _registry('data sampler', root.DATA_SAMPLERS, 'recognition', 'pretraining')
OPTIM_WRAPPERS = _registry('optim_wrapper', root.OPTIM_WRAPPERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _registry(
    'optimizer wrapper constructor', root.OPTIM_WRAPPER_CONSTRUCTORS, 'recognition.probe_sweep'
)
LOOPS = _registry('loop', root.LOOPS, 'engine')
MODEL_WRAPPERS = _registry('model_wrapper', root.MODEL_WRAPPERS, 'engine.fully_shard')
