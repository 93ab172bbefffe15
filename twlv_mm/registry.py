"""The registries of twlv_mm: scope ``twlv_mm``, each a child of mmengine's root registry.

The parent is mmengine's root, not mmaction2's registry, so that ``type='twlv_mm.Name'`` resolves from every scope: a
child of mmaction's registry is not found from inside a model that sets ``_scope_='mmdet'``, a child of the root is.
mmengine imports this module by itself when it meets the scope, and the ``locations`` on the first look-up; configs need
no ``custom_imports``.
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
    'TRANSFORMS',
]

TASKS = [
    'twlv_mm.recognition',
    'twlv_mm.localization',
    'twlv_mm.segmentation',
    'twlv_mm.detection',
    'twlv_mm.pretraining',
]
DATASETS = Registry('dataset', parent=root.DATASETS, scope='twlv_mm', locations=TASKS)
MODELS = Registry('model', parent=root.MODELS, scope='twlv_mm', locations=['twlv_mm.encoders', *TASKS])
TRANSFORMS = Registry('transform', parent=root.TRANSFORMS, scope='twlv_mm', locations=['twlv_mm.video', *TASKS])
HOOKS = Registry('hook', parent=root.HOOKS, scope='twlv_mm', locations=['twlv_mm.engine', *TASKS])
METRICS = Registry('metric', parent=root.METRICS, scope='twlv_mm', locations=TASKS)
OPTIM_WRAPPERS = Registry('optim_wrapper', parent=root.OPTIM_WRAPPERS, scope='twlv_mm', locations=['twlv_mm.engine'])
LOOPS = Registry('loop', parent=root.LOOPS, scope='twlv_mm', locations=['twlv_mm.engine'])
DATA_SAMPLERS = Registry('data sampler', parent=root.DATA_SAMPLERS, scope='twlv_mm', locations=['twlv_mm.pretraining'])
MODEL_WRAPPERS = Registry(
    'model_wrapper', parent=root.MODEL_WRAPPERS, scope='twlv_mm', locations=['twlv_mm.engine.fully_shard']
)
