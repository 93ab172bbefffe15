"""The base of hooks that check the datasets of a run."""

from mmengine.hooks import Hook

from .wrappers import unwrapped


class DatasetCheckHook(Hook):
    """Call ``check(runner, model, *datasets)`` before the first step; the model is without its wrapper."""

    def before_train(self, runner):
        validation = [runner.val_dataloader.dataset] if runner.val_loop is not None else []
        self.check(runner, unwrapped(runner.model), runner.train_dataloader.dataset, *validation)

    def before_test(self, runner):
        self.check(runner, unwrapped(runner.model), runner.test_dataloader.dataset)
