"""Who does what, where and when: an encoder, a decoder of space-time queries and a head, trained end to end."""

import torch.nn.functional as F
from mmengine.model import BaseModel

from twlv_mm.registry import MODELS


@MODELS.register_module()
class SpatioTemporalDetector(BaseModel):
    """Boxes with actions from a clip alone: no boxes of persons from outside, no non-maximum suppression.

    The batch is that of :class:`~twlv_mm.detection.transforms.DetectionPreprocessor`: ``inputs`` (N, 3, T, H, W) and
    ``data_samples`` with gt_instances, and the metainfo img_shape, img_key and key_frame.

    Args:
        backbone (dict): An encoder that gives (N, D, T', h, w), frozen or not.
        decoder (dict): :class:`~twlv_mm.detection.decoder.FactorisedDecoder`, or one with the same call.
        head (dict): :class:`~twlv_mm.detection.tubelet_head.TubeletHead`, or one with the same calls.
        data_preprocessor (dict, optional): As in mmaction2.
        init_cfg (dict, optional): mmengine's.

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
        """int: Columns of the scores, the first of which is no action."""
        return self.head.num_classes

    def forward(self, inputs, data_samples, mode='tensor'):
        """Run a batch.

        Args:
            inputs (Tensor): See the class.
            data_samples (list[ActionDataSample]): See the class.
            mode (str): 'loss', 'predict' or 'tensor'.

        Returns:
            dict[str, Tensor] | list[ActionDataSample] | tuple[Tensor, Tensor]: the losses; the samples with
            pred_instances, see :meth:`TubeletHead.predict <twlv_mm.detection.tubelet_head.TubeletHead.predict>`; or
            the head's logits and boxes.

        Raises:
            ValueError: if encoder, decoder and data do not fit together, or the model gives NaN or infinite numbers.
        """
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
    """Which tokens of an (h, w) map are outside of the pictures, (N, h, w) bool."""
    inside = inputs.new_zeros(len(inputs), 1, *inputs.shape[-2:])
    for one, sample in zip(inside, data_samples, strict=True):
        height, width = sample.img_shape[:2]
        one[:, :height, :width] = 1
    # A token that shows any of the picture is inside.
    return F.adaptive_max_pool2d(inside, size).squeeze(1) == 0
