"""``type='twlv_mm.EmbeddingKNN'`` in a config makes mmengine import all models of mmaction2, and mmdet with them.

mmengine 0.10.7's ``Registry.get`` imports every module of the registry that it is called on, here that of the default
scope, before it looks at the scope in the name. A run on stored embeddings needs none of them: they take 1.5 of its
5 seconds of CPU time. Here names with our scope or mmengine's go to the root registry, and our own registries import
one module after another until the name is found.
"""

import functools
from importlib import import_module

from mmengine.registry import Registry

OURS = 'twlv_mm'
SCOPES = ('mmengine', OURS)


def apply():
    """Make ``Registry.get`` look up a scoped name in its scope, and import no more than needed to find it."""
    upstream = Registry.get
    if hasattr(upstream, '__wrapped__'):
        return

    @functools.wraps(upstream)
    def get(self, key):
        scope, name = self.split_scope_key(key) if isinstance(key, str) else (None, key)
        if scope in SCOPES and scope != self.scope and self.parent is not None:
            return self.root.get(key)
        if self.scope == OURS and scope in (None, OURS):
            for location in self._locations:
                if name in self.module_dict:
                    return self.module_dict[name]
                import_module(location)
        return upstream(self, key)

    Registry.get = get
