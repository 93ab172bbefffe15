"""Compiles the blocks of an encoder."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from twlv_mm.registry import HOOKS


@HOOKS.register_module()
class CompileBlocksHook(Hook):
    """Compile each block of ``model.backbone.blocks`` with torch.compile before training.

    The blocks are alike, so one compilation serves all of them; mmengine's ``compile`` of a whole step takes minutes
    and recompiles for every shape. Parameter names do not change.

    Args:
        **options: Of torch.compile, such as ``mode='max-autotune-no-cudagraphs'``, ``backend``, ``dynamic``.
    """

    def __init__(self, **options):
        self.options = options

    def before_train(self, runner):
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        blocks = getattr(getattr(model, 'backbone', None), 'blocks', None)
        if blocks is None:
            raise ValueError('CompileBlocksHook compiles model.backbone.blocks, and the model has none: leave it out')
        for block in blocks:
            block.compile(**self.options)
