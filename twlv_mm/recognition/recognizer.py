"""A recognizer for probes on all tokens of an encoder, or on its own pooled vector."""

import torch
from mmaction.models.recognizers import Recognizer3D

from twlv_mm.registry import MODELS

FEATURES = ('tokens', 'embed')


@MODELS.register_module()
class ProbeRecognizer(Recognizer3D):
    """Recognizer3D of mmaction2 that gives its head tokens or vectors; ``type='twlv_mm.ProbeRecognizer'``.

    Recognizer3D gives feature maps, enough for linear probes on the mean of the patch tokens. This class is for the
    attentive probe (``features='tokens'``, including class tokens) and for the linear probe on an architecture's own
    pooling, such as CLIP's (``features='embed'`` with ``I3DHead(spatial_type=None)``).

    Args:
        backbone (dict): An encoder of this package.
        cls_head (dict): A head for tokens (B, L, D) or vectors (B, D'), B = videos x views.
        features (str): 'tokens' or 'embed', the encoder's method.
        train_cfg (dict, optional): As in mmaction2.
        test_cfg (dict, optional): ``max_testing_views``: views per forward pass of the encoder; all by default.
        data_preprocessor (dict, optional): As in mmaction2.
    """

    def __init__(self, backbone, cls_head, features, train_cfg=None, test_cfg=None, data_preprocessor=None):
        if features not in FEATURES:
            raise ValueError(f'unknown features {features!r}; choose from {", ".join(FEATURES)}')
        super().__init__(
            backbone, cls_head, train_cfg=train_cfg, test_cfg=test_cfg, data_preprocessor=data_preprocessor
        )
        self.features = features
        # For results.json. A probe of all tokens pools by itself.
        pooling = {'pooling': self.backbone.spec.pooling} if features == 'embed' else {}
        self.choices = dict(features=features, **pooling)

    def extract_feat(self, inputs, stage='neck', data_samples=None, test_mode=False):
        """Encode views (N, views, 3, T, H, W) as (N x views, L, D) or (N x views, D'), views fastest, and an empty
        dict.

        With ``stage='head'``, these are the head's scores of each view; ``max_testing_views`` applies in ``test_mode``.
        """
        encode = getattr(self.backbone, self.features)
        views = inputs.flatten(0, 1)
        at_once = (self.test_cfg or {}).get('max_testing_views') if test_mode else None
        parts = [encode(part) for part in views.split(at_once or len(views))]
        features = parts[0] if len(parts) == 1 else torch.cat(parts)
        if features.shape[-1] != self.cls_head.in_channels:
            raise ValueError(
                f'{self.features} of the encoder {self.backbone.spec.name} have {features.shape[-1]} channels, but the '
                f'head expects {self.cls_head.in_channels}: set model.cls_head.in_channels={features.shape[-1]}'
            )
        return (self.cls_head(features) if stage == 'head' else features), {}
