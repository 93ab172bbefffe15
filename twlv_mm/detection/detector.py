"""An end-to-end detector of actions in space and time: an encoder, a decoder of space-time queries and a head."""

import torch.nn.functional as F
from mmengine.model import BaseModel

from twlv_mm.registry import MODELS


@MODELS.register_module()
class SpatioTemporalDetector(BaseModel):
    """Boxes with actions from a clip alone, without given boxes of persons or non-maximum suppression.

    A batch is that of :class:`~twlv_mm.detection.transforms.DetectionPreprocessor`: ``inputs`` (N, 3, T, H, W) and
    ``data_samples`` with gt_instances, and the metainfo img_shape, img_key and key_frame.

    Args:
        backbone (dict): An encoder that gives (N, D, T', h, w), frozen or not.
        decoder (dict): :class:`~twlv_mm.detection.decoder.FactorisedDecoder`, or one with the same interface.
        head (dict): :class:`~twlv_mm.detection.tubelet_head.TubeletHead`, or one with the same interface.
        data_preprocessor, init_cfg (dict, optional): As in mmaction2.

    Source: TWLV-I section 2.5 after Gritsenko et al. 2023 (STAR).
    """

    def __init__(self, backbone, decoder, head, data_preprocessor=None, init_cfg=None):
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.decoder = MODELS.build(decoder)
        self.head = MODELS.build(head)
        self.choices = dict(head='end to end')  # for results.json

    @property
    def num_classes(self):
        return self.head.num_classes

    def forward(self, inputs, data_samples, mode='tensor'):
        """Run a batch in mode 'loss', 'predict' (see TubeletHead.predict) or 'tensor' (the head's logits and boxes)."""
        hidden = self._decode(inputs, data_samples)
        if mode == 'tensor':
            return self.head(hidden)
        num_frames = self.decoder.num_frames
        key_frames = [sample.key_frame * num_frames // inputs.shape[2] for sample in data_samples]
        if mode == 'loss':
            return self.head.loss(hidden, data_samples, key_frames)
        if mode == 'predict':
            return self.head.predict(hidden, data_samples, key_frames, with_tubes=num_frames == inputs.shape[2])
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', it is {mode!r}")

    def _decode(self, inputs, data_samples):
        features = self.backbone(inputs)
        return self.decoder(features, _padding(inputs, data_samples, features.shape[-2:]))


def _padding(inputs, data_samples, size):
    """Mask of the tokens of an (h, w) map outside the images, (N, h, w) bool."""
    inside = inputs.new_zeros(len(inputs), 1, *inputs.shape[-2:])
    for one, sample in zip(inside, data_samples, strict=True):
        height, width = sample.img_shape[:2]
        one[:, :height, :width] = 1
    # A token that overlaps the image is inside.
    return F.adaptive_max_pool2d(inside, size).squeeze(1) == 0
