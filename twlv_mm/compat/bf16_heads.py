"""mmaction2's heads cannot train under bf16 autocast.

``BaseHead.loss_by_feat`` takes the scores to NumPy for the accuracy in the log, and NumPy has no bfloat16: "Got
unsupported ScalarType BFloat16".
"""

import functools

import torch
import wrapt


def apply():
    """Convert half-precision scores to float32 for ``BaseHead.loss_by_feat``, as the loss does anyway."""
    wrapt.register_post_import_hook(_patch, 'mmaction.models.heads.base')


def _patch(module):
    upstream = module.BaseHead.loss_by_feat
    if hasattr(upstream, '__wrapped__'):
        return

    @functools.wraps(upstream)
    def loss_by_feat(self, cls_scores, data_samples):
        if isinstance(cls_scores, torch.Tensor):
            cls_scores = cls_scores.float()
        return upstream(self, cls_scores, data_samples)

    module.BaseHead.loss_by_feat = loss_by_feat
