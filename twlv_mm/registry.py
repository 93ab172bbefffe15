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


def _registry(name, parent, *modules):
    """A registry whose modules are imported in this order until a name is found (``compat.scoped_names``).

    Modules that import mmaction2's models or mmdet therefore come last.
    """
    return Registry(name, parent=parent, scope='twlv_mm', locations=list(modules))


_TASKS = ('twlv_mm.recognition', 'twlv_mm.localization', 'twlv_mm.segmentation', 'twlv_mm.pretraining')
_HEADS = ('twlv_mm.recognition.recognizer', 'twlv_mm.recognition.probe_heads', 'twlv_mm.recognition.probe_sweep')
_SEGMENTS = 'twlv_mm.recognition.segment_dataset'  # imports VideoListDataset too
_DETECTION = 'twlv_mm.detection'

MODELS = _registry('model', root.MODELS, 'twlv_mm.encoders', *_TASKS, *_HEADS, _DETECTION)
DATASETS = _registry('dataset', root.DATASETS, *_TASKS, _SEGMENTS, _DETECTION)
TRANSFORMS = _registry('transform', root.TRANSFORMS, 'twlv_mm.video', *_TASKS, _SEGMENTS, _DETECTION)
HOOKS = _registry('hook', root.HOOKS, 'twlv_mm.engine', *_TASKS, _DETECTION)
METRICS = _registry('metric', root.METRICS, *_TASKS, _DETECTION)
DATA_SAMPLERS = _registry('data sampler', root.DATA_SAMPLERS, 'twlv_mm.recognition', 'twlv_mm.pretraining')
OPTIM_WRAPPERS = _registry('optim_wrapper', root.OPTIM_WRAPPERS, 'twlv_mm.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _registry(
    'optimizer wrapper constructor', root.OPTIM_WRAPPER_CONSTRUCTORS, 'twlv_mm.recognition.probe_sweep'
)
LOOPS = _registry('loop', root.LOOPS, 'twlv_mm.engine')
MODEL_WRAPPERS = _registry('model_wrapper', root.MODEL_WRAPPERS, 'twlv_mm.engine.fully_shard')
