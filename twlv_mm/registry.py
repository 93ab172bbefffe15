"""The registries of twlv_mm: scope ``twlv_mm``, each a child of mmengine's root registry.

The parent is mmengine's root, not mmaction2's registry, so that ``type='twlv_mm.Name'`` resolves from every scope: a
child of mmaction's registry is not found from inside a model that sets ``_scope_='mmdet'``, a child of the root is.
mmengine imports this module by itself when it meets the scope, and a look-up imports the ``locations``; configs need
no ``custom_imports``. The encoders alone are in mmaction2's registry as well (twlv_mm/encoders/__init__.py).
"""

from importlib import import_module

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


class RoomRegistry(Registry):
    """A registry that imports its locations in their order, and no more of them once it has what is looked for."""

    def get(self, key):
        """See mmengine.

        Args:
            key (str): A name, with or without a scope.

        Returns:
            type | None: what is registered under it.
        """
        scope, name = self.split_scope_key(key)
        if scope in (None, self.scope):
            for location in self._locations:
                if name in self.module_dict:
                    return self.module_dict[name]
                import_module(location)
        return super().get(key)


# Those that import mmaction2's models, and with them mmdet, come last.
TASKS = [
    'twlv_mm.recognition',
    'twlv_mm.localization',
    'twlv_mm.segmentation',
    'twlv_mm.pretraining',
    'twlv_mm.recognition.live',
    'twlv_mm.detection',
]
DATASETS = RoomRegistry('dataset', parent=root.DATASETS, scope='twlv_mm', locations=TASKS)
MODELS = RoomRegistry('model', parent=root.MODELS, scope='twlv_mm', locations=['twlv_mm.encoders', *TASKS])
TRANSFORMS = RoomRegistry('transform', parent=root.TRANSFORMS, scope='twlv_mm', locations=['twlv_mm.video', *TASKS])
HOOKS = RoomRegistry('hook', parent=root.HOOKS, scope='twlv_mm', locations=['twlv_mm.engine', *TASKS])
METRICS = RoomRegistry('metric', parent=root.METRICS, scope='twlv_mm', locations=TASKS)
OPTIM_WRAPPERS = Registry('optim_wrapper', parent=root.OPTIM_WRAPPERS, scope='twlv_mm', locations=['twlv_mm.engine'])
LOOPS = Registry('loop', parent=root.LOOPS, scope='twlv_mm', locations=['twlv_mm.engine'])
DATA_SAMPLERS = RoomRegistry(
    'data sampler',
    parent=root.DATA_SAMPLERS,
    scope='twlv_mm',
    locations=['twlv_mm.recognition', 'twlv_mm.pretraining'],
)
MODEL_WRAPPERS = Registry(
    'model_wrapper', parent=root.MODEL_WRAPPERS, scope='twlv_mm', locations=['twlv_mm.engine.fully_shard']
)
