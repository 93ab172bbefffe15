"""With mmcv-lite, ``import mmcv.ops`` fails, and with it ``mmdet.models`` and mmaction2's detection heads.

mmcv.ops looks up every compiled operator at import, although most models call none. A stand-in for ``mmcv._ext`` has
RoIAlign, NMS and soft-NMS in plain torch; its other operators raise when they are called.
"""

import sys
import types
from importlib.machinery import ModuleSpec

from ._modules import is_installed
from .box_nms import nms, softnms
from .roi_align import roi_align_backward, roi_align_forward

NAME = 'mmcv._ext'
OPERATORS = (nms, softnms, roi_align_forward, roi_align_backward)


class _MissingExtension(types.ModuleType):
    def __init__(self):
        super().__init__(NAME, 'Stand-in for the operators that mmcv-lite lacks.')
        # mmengine asks importlib whether mmcv is compiled: a spec without a loader means that it is not.
        self.__spec__ = ModuleSpec(NAME, None)
        for operator in OPERATORS:
            setattr(self, operator.__name__, operator)

    def __getattr__(self, name):
        # inspect and torch.compile probe modules for special names and rely on this error.
        if name.startswith('__'):
            raise AttributeError(f'module {NAME!r} has no attribute {name!r}')

        def missing(*args, **kwargs):
            raise NotImplementedError(
                f'{name} is a compiled operator of mmcv, which the installed mmcv-lite lacks. Install the compiled '
                'mmcv in its place: pip uninstall -y mmcv-lite, then pip install mmcv==2.1.0 (compiles for minutes) '
                'or, where OpenMMLab has a wheel for your torch, mim install mmcv==2.1.0.'
            )

        missing.__name__ = missing.__qualname__ = name
        return missing


def apply():
    """Install the stand-in if mmcv lacks its compiled operators."""
    if NAME not in sys.modules and is_installed('mmcv') and not is_installed(NAME):
        sys.modules[NAME] = _MissingExtension()
