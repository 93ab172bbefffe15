"""A recognizer for probes on what an encoder offers beside its feature map: all its tokens, or its own vector."""

import torch
from mmaction.models.recognizers import Recognizer3D

from twlv_mm.registry import MODELS

FEATURES = ('tokens', 'embed')


@MODELS.register_module()
class ProbeRecognizer(Recognizer3D):
    """mmaction2's Recognizer3D that gives its head an encoder's tokens or vectors; ``type='twlv_mm.ProbeRecognizer'``.

    Recognizer3D gives feature maps, which are enough for linear probes on the mean of the patch tokens. This one is for
    the attentive probe (``features='tokens'`` with twlv_mm.AttentiveHead: class tokens are among the tokens), and for
    the linear probe on an architecture's own pooling, such as CLIP's or InternVideo2's (``features='embed'`` with
    ``I3DHead(spatial_type=None)``).

    Args:
        backbone (dict): An encoder of this package.
        cls_head (dict): A head that takes tokens (B, L, D) or vectors (B, D'), B = videos x views.
        features (str): 'tokens' or 'embed', the encoder's method.
        train_cfg (dict, optional): As in mmaction2.
        test_cfg (dict, optional): ``max_testing_views``: views that are encoded at once, all if not given; with any
            batch size.
        data_preprocessor (dict, optional): As in mmaction2.
    """

    def __init__(self, backbone, cls_head, features, train_cfg=None, test_cfg=None, data_preprocessor=None):
        if features not in FEATURES:
            raise ValueError(f'there are no features {features!r} of an encoder; there are {", ".join(FEATURES)}')
        super().__init__(
            backbone, cls_head, train_cfg=train_cfg, test_cfg=test_cfg, data_preprocessor=data_preprocessor
        )
        self.features = features
        # For results.json. A probe of all tokens pools by itself.
        pooling = {'pooling': self.backbone.spec.pooling} if features == 'embed' else {}
        self.choices = dict(features=features, **pooling)

    def extract_feat(self, inputs, stage='neck', data_samples=None, test_mode=False):
        """Encode the views of a batch.

        Args:
            inputs (Tensor): (N, views, 3, T, H, W).
            stage (str): 'head' to go on to the head's scores, which takes each view alone.
            data_samples (list[ActionDataSample], optional): Not used.
            test_mode (bool): Whether ``max_testing_views`` counts.

        Returns:
            tuple[Tensor, dict]: (N x views, L, D) or (N x views, D'), views fastest; and nothing for the head.
        """
        encode = getattr(self.backbone, self.features)
        views = inputs.flatten(0, 1)
        at_once = (self.test_cfg or {}).get('max_testing_views') if test_mode else None
        parts = [encode(part) for part in views.split(at_once or len(views))]
        features = parts[0] if len(parts) == 1 else torch.cat(parts)
        if features.shape[-1] != self.cls_head.in_channels:
            raise ValueError(
                f'{self.features} of the encoder {self.backbone.spec.name} have {features.shape[-1]} channels, the '
                f'head takes {self.cls_head.in_channels}: set model.cls_head.in_channels={features.shape[-1]}'
            )
        return (self.cls_head(features) if stage == 'head' else features), {}
