"""A resumed run forgets for how long its score has not improved, and a test builds the training set.

mmengine 0.10.7's EarlyStoppingHook does not save its state: a run that is killed and resumed stops later than an
uninterrupted one, and a run that has stopped goes on. Here, checkpoints hold the state. The hook also asks for the
training loop before a test, which builds it; here it does so before training only.
"""

from mmengine.hooks import EarlyStoppingHook

KEY = 'early_stopping'


def apply():
    """Save and resume best score and patience; leave tests alone."""
    if 'before_save_checkpoint' not in vars(EarlyStoppingHook):
        EarlyStoppingHook.before_train = EarlyStoppingHook.before_run
        del EarlyStoppingHook.before_run
        EarlyStoppingHook.before_save_checkpoint = _save
        EarlyStoppingHook.after_load_checkpoint = _load


def _save(self, runner, checkpoint):
    state = dict(best_score=float(self.best_score), wait_count=self.wait_count)
    checkpoint.setdefault(KEY, {})[self.monitor] = state


def _load(self, runner, checkpoint):
    if runner._resume:
        vars(self).update(checkpoint.get(KEY, {}).get(self.monitor, {}))
