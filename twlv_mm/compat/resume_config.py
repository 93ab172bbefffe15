"""Resuming from a checkpoint can run code even with ``weights_only``.

mmengine 0.10.7's ``Runner.resume`` passes the text under ``meta['config']`` of a checkpoint to ``Config.fromstring``,
which executes it. mmengine itself writes that text as ``meta['cfg']``; only a malicious checkpoint has the other.
"""

import functools

from mmengine.runner import Runner


def apply():
    """Drop that text before ``Runner.resume`` sees it."""
    upstream = Runner.load_checkpoint
    if hasattr(upstream, '__wrapped__'):
        return

    @functools.wraps(upstream)
    def load_checkpoint(self, *args, **kwargs):
        checkpoint = upstream(self, *args, **kwargs)
        checkpoint.get('meta', {}).pop('config', None)
        return checkpoint

    Runner.load_checkpoint = load_checkpoint
