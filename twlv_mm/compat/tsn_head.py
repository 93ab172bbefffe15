"""mmaction2's TSNHead does not work with a video backbone.

Its ``forward`` requires ``num_segs``, which Recognizer2D passes and Recognizer3D does not, and its pooling takes maps
without time. Under Recognizer3D the views of a video are already in the batch dimension, so ``num_segs`` is 1.
"""

import functools
import inspect

import wrapt


def apply():
    """Make ``num_segs`` optional in TSNHead.forward, and average maps (N, D, T, H, W) over time."""
    wrapt.register_post_import_hook(_patch, 'mmaction.models.heads.tsn_head')


def _patch(module):
    upstream = module.TSNHead.forward
    if inspect.signature(upstream).parameters['num_segs'].default is not inspect.Parameter.empty:
        return

    @functools.wraps(upstream)
    def forward(self, x, num_segs=1, **kwargs):
        if x.ndim == 5:
            x = x.mean(dim=2)
        return upstream(self, x, num_segs, **kwargs)

    # Otherwise functools.wraps shows the signature that requires num_segs.
    forward.__signature__ = inspect.signature(forward, follow_wrapped=False)
    module.TSNHead.forward = forward
