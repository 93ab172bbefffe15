"""Compile what an encoder repeats."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from twlv_mm.registry import HOOKS


@HOOKS.register_module()
class CompileBlocksHook(Hook):
    """Compile each block of ``model.backbone.blocks`` with torch.compile before training.

    Blocks are alike, so that one compilation serves all of them, where mmengine's ``compile`` of a whole step takes
    minutes and compiles anew for every shape. Names of parameters stay what they are.

    Args:
        **options: Of torch.compile, such as ``mode='max-autotune-no-cudagraphs'``, ``backend``, ``dynamic``.

    Raises:
        ValueError: before training, if the model has no such blocks.
    """

    def __init__(self, **options):
        self.options = options

    def before_train(self, runner):
        """Compile, when a block is first called."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        blocks = getattr(getattr(model, 'backbone', None), 'blocks', None)
        if blocks is None:
            raise ValueError('CompileBlocksHook compiles model.backbone.blocks, and the model has none: leave it out')
        for block in blocks:
            block.compile(**self.options)
