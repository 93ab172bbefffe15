"""Resuming from a checkpoint can run code, whatever ``weights_only`` says.

mmengine 0.10.7's ``Runner.resume`` hands the text under ``meta['config']`` of a checkpoint to ``Config.fromstring``,
which executes it. mmengine itself writes that text as ``meta['cfg']``; only a checkpoint made for the purpose has it.
"""

import functools

from mmengine.runner import Runner


def apply():
    """Drop the text before ``Runner.resume`` sees it."""
    upstream = Runner.load_checkpoint
    if hasattr(upstream, '__wrapped__'):
        return

    @functools.wraps(upstream)
    def load_checkpoint(self, *args, **kwargs):
        checkpoint = upstream(self, *args, **kwargs)
        checkpoint.get('meta', {}).pop('config', None)
        return checkpoint

    Runner.load_checkpoint = load_checkpoint
