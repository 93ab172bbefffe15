"""The attentive probe as an mmaction2 head, which distinguishes the crops of a video from its clips."""

from mmaction.models.heads import BaseHead

from twlv_mm.registry import MODELS

from .attentive_probe import AttentiveProbe, load_official_probe


@MODELS.register_module()
class AttentiveHead(BaseHead):
    """V-JEPA's attentive probe as a head; in configs ``type='twlv_mm.AttentiveHead'``.

    For m crops x n clips of a video, the tokens of the n clips are concatenated before the probe, and the probabilities
    of the m crops are averaged, as in V-JEPA. A pipeline of several views states the number of clips by
    ``PackActionInputs(meta_keys=('img_shape', 'num_clips'))``. Use it with twlv_mm.ProbeRecognizer and
    ``features='tokens'``, or with Recognizer3D, whose feature maps lack class tokens.

    Args:
        num_classes (int): Classes.
        in_channels (int): Channels of a token.
        num_heads (int): Attention heads.
        depth (int): Blocks; 1 is V-JEPA's probe, 4 is that of V-JEPA 2.
        weights (str, optional): Official file of such a probe.
        average_clips (str, optional): 'prob', 'score' (logits), or None for the scores of each crop.
        across_clips (bool): Whether the probe attends to all clips of a crop at once, rather than to each view.
        **kwargs: Those of mmaction2's BaseHead.

    Source: Bardes et al. 2024 (V-JEPA) and its code, ``attend_across_segments``; TWLV-I sections 2.2 and 2.2.2.
    """

    def __init__(
        self,
        num_classes,
        in_channels,
        num_heads,
        depth=1,
        weights=None,
        average_clips='prob',
        across_clips=True,
        **kwargs,
    ):
        super().__init__(num_classes, in_channels, average_clips=average_clips, **kwargs)
        self.across_clips = across_clips
        self.choices = dict(across_clips=across_clips)  # for results.json
        self.probe = AttentiveProbe(in_channels, num_classes, num_heads, depth)
        if weights is not None:
            load_official_probe(self.probe, weights)

    def forward(self, x, num_clips=1, **kwargs):
        """Classify crops: returns (videos x crops, num_classes) logits.

        Args:
            x (Tensor): Tokens (B, L, D) or feature maps (B, D, T', H', W') of B = videos x crops x clips views, clips
                fastest, as ordered by mmaction2's FormatShape.
            num_clips (int): Clips per crop.
            **kwargs: Ignored.
        """
        if x.ndim == 5:
            x = x.flatten(2).transpose(1, 2)
        return self.probe(x.unflatten(0, (-1, num_clips)).flatten(1, 2))

    def loss(self, feats, data_samples, **kwargs):
        """Losses of a batch, averaged over the crops of all videos."""
        scores = self(feats, self._clips_at_once(feats, data_samples))
        crops = len(scores) // len(data_samples)
        return self.loss_by_feat(scores, [sample for sample in data_samples for _ in range(crops)])

    def predict(self, feats, data_samples, **kwargs):
        """Predict a batch: ``data_samples`` (one per video) with ``pred_score`` (num_classes,) and ``pred_label``."""
        return self.predict_by_feat(self(feats, self._clips_at_once(feats, data_samples)), data_samples)

    def _clips_at_once(self, feats, data_samples):
        return clips_of_a_crop(len(feats), data_samples) if self.across_clips else 1


def clips_of_a_crop(num_views, data_samples):
    """Number of a video's views that are clips in time; the others are crops.

    Args:
        num_views (int): Views of the whole batch, equally many per video.
        data_samples (list[ActionDataSample]): One per video, with ``num_clips`` in its metainfo unless it has one view.
    """
    views = num_views // len(data_samples)
    if views == 1:
        return 1
    counts = {sample.get('num_clips') for sample in data_samples}
    if None in counts:
        raise ValueError(
            f'videos have {views} views, but how many of them are clips in time is unknown: end the pipeline with '
            "PackActionInputs(meta_keys=('img_shape', 'num_clips'))"
        )
    if len(counts) > 1 or views % min(counts):
        raise ValueError(
            f'videos have {views} views and num_clips {sorted(counts)}: all videos of a batch must have the same '
            'number of clips, and all clips the same number of crops'
        )
    return counts.pop()
