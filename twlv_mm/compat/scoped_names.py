"""``type='twlv_mm.EmbeddingKNN'`` in a config makes mmengine import all models of mmaction2, and with them mmdet.

mmengine 0.10.7's ``Registry.get`` first imports everything that belongs to the registry it is called on, here that of
the default scope, and only then sees that the name is of another scope. A run on stored embeddings needs nothing of
that, and would wait for it longer than for its result. Here, names with our scope or mmengine's go to the root
registry, from where upstream finds them.
"""

import functools

from mmengine.registry import Registry

SCOPES = ('mmengine', 'twlv_mm')


def apply():
    """Let ``Registry.get`` look where the name says."""
    upstream = Registry.get
    if hasattr(upstream, '__wrapped__'):
        return

    @functools.wraps(upstream)
    def get(self, key):
        scope = key.partition('.')[0] if isinstance(key, str) and '.' in key else None
        if scope in SCOPES and scope != self.scope and self.parent is not None:
            return self.root.get(key)
        return upstream(self, key)

    Registry.get = get
