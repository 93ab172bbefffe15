"""Attentive probing in mmaction2: the head, and how it tells the crops of a video from its clips."""

from mmaction.models.heads import BaseHead

from twlv_mm.registry import MODELS

from .attentive_probe import AttentiveProbe, load_official_probe


@MODELS.register_module()
class AttentiveHead(BaseHead):
    """V-JEPA's attentive probe as a head; in configs ``type='twlv_mm.AttentiveHead'``.

    A video of m crops x n clips has its n clips' tokens concatenated before the probe, in training and in testing, as
    in V-JEPA; the probabilities of its m crops are averaged. How many clips there are is what the pipeline says, so a
    pipeline of several views ends with ``PackActionInputs(meta_keys=('img_shape', 'num_clips'))``. With
    ``across_clips=False`` each view is classified by itself, and the probabilities of all m x n are averaged.

    Stands behind twlv_mm.ProbeRecognizer with ``features='tokens'``; or behind Recognizer3D, whose feature maps lack
    the class tokens of encoders that have some.

    Args:
        num_classes (int): Classes.
        in_channels (int): Channels of a token.
        num_heads (int): Attention heads.
        depth (int): Blocks; 1 is V-JEPA's probe, 4 is that of V-JEPA 2.
        weights (str, optional): Official file of such a probe.
        average_clips (str, optional): What is averaged over the crops: 'prob', 'score' (before the softmax), or None
            for the scores of each crop.
        across_clips (bool): Whether the probe attends to all clips of a crop at once.
        **kwargs: Those of mmaction2's BaseHead: loss_cls, multi_class, label_smooth_eps, topk, init_cfg.

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
        """Classify crops.

        Args:
            x (Tensor): Tokens (B, L, D) or feature maps (B, D, T', H', W') of B = videos x crops x clips views, clips
                fastest, as mmaction2's FormatShape orders them.
            num_clips (int): Clips of a crop.
            **kwargs: What recognizers pass to other heads; not used.

        Returns:
            Tensor: (videos x crops, num_classes) scores before the softmax.
        """
        if x.ndim == 5:
            x = x.flatten(2).transpose(1, 2)
        return self.probe(x.unflatten(0, (-1, num_clips)).flatten(1, 2))

    def loss(self, feats, data_samples, **kwargs):
        """Losses of a batch, the mean over the crops of all videos.

        Args:
            feats (Tensor): As ``x`` of :meth:`forward`.
            data_samples (list[ActionDataSample]): One a video, with ``gt_label``.
            **kwargs: Not used.

        Returns:
            dict[str, Tensor]: loss_cls, and accuracies by name.
        """
        scores = self(feats, self._clips_at_once(feats, data_samples))
        crops = len(scores) // len(data_samples)
        return self.loss_by_feat(scores, [sample for sample in data_samples for _ in range(crops)])

    def predict(self, feats, data_samples, **kwargs):
        """Predictions of a batch.

        Args:
            feats (Tensor): As ``x`` of :meth:`forward`.
            data_samples (list[ActionDataSample]): One a video.
            **kwargs: Not used.

        Returns:
            list[ActionDataSample]: the samples with ``pred_score``, (num_classes,), probabilities unless
            ``average_clips`` says otherwise, and ``pred_label``.
        """
        return self.predict_by_feat(self(feats, self._clips_at_once(feats, data_samples)), data_samples)

    def _clips_at_once(self, feats, data_samples):
        return clips_of_a_crop(len(feats), data_samples) if self.across_clips else 1


def clips_of_a_crop(num_views, data_samples):
    """How many of a video's views are clips in time; the others are crops.

    Args:
        num_views (int): Views of the whole batch, the same number for each video.
        data_samples (list[ActionDataSample]): One a video, with ``num_clips`` among its metainfo; videos of one view
            need none.

    Returns:
        int: the number of clips.
    """
    views = num_views // len(data_samples)
    if views == 1:
        return 1
    counts = {sample.get('num_clips') for sample in data_samples}
    if None in counts:
        raise ValueError(
            f'videos have {views} views, and nothing says how many of them are clips in time and how many are crops: '
            "end the pipeline with PackActionInputs(meta_keys=('img_shape', 'num_clips'))"
        )
    if len(counts) > 1 or views % min(counts):
        raise ValueError(
            f'videos have {views} views and num_clips {sorted(counts)}: the pipeline must give all videos of a batch '
            'the same number of clips, and each clip the same number of crops'
        )
    return counts.pop()
