"""Decodes the output of ActionFormer's heads into a list of actions."""

import torch
from mmengine.structures import InstanceData

from .external_scores import ExternalScores
from .soft_nms import suppress


class SegmentDecoder:
    """Take the best candidates of each level, suppress overlapping ones, and convert them to seconds.

    Args:
        min_score (float): Candidates must have a higher score.
        max_candidates (int): Maximum number of candidates of a level.
        min_duration (float): Candidates must be longer, in steps at full rate, as in ActionFormer's code.
        nms (dict, optional): Arguments of :func:`suppress`, such as sigma, max_segments, per_class, voting_threshold.
        external (dict, optional): Arguments of :class:`ExternalScores`, which then classifies the segments; its file is
            read when the first video is decoded, not in training.

    Source: Zhang et al. 2022 (ActionFormer) and its code.
    """

    def __init__(self, min_score=0.001, max_candidates=2000, min_duration=0.05, nms=None, external=None):
        self.min_score = min_score
        self.max_candidates = max_candidates
        self.min_duration = min_duration
        self.nms = nms or {}
        self._external = external
        self._scores = None

    def external_scores(self, classes=None):
        """The :class:`ExternalScores`, read once; ``classes`` are its class names, unless ``external`` has them."""
        if self._scores is None:
            self._scores = ExternalScores(**dict(classes=classes) | dict(self._external))
        return self._scores

    def __call__(self, logits, offsets, valid, points, lengths, sample, classes=None):
        """Decode the output of the heads at the P points of a video.

        ``logits`` (P, C), ``offsets`` (P, 2) in strides and ``valid`` (P,) are of all levels, ``lengths`` the points of
        each; the sample has video_id, duration, origin and step; ``classes`` are for :meth:`external_scores`.

        Returns:
            InstanceData: segments (M, 2) float32 in seconds, scores (M,), labels (M,) int64, best first; M may be 0.
        """
        parts = [x.split(lengths) for x in (logits.float().sigmoid(), offsets.float(), valid, *points[:2])]
        levels = [self._candidates(*level) for level in zip(*parts, strict=True)]
        segments, scores, labels = (torch.cat(part) for part in zip(*levels, strict=True))
        segments, scores, labels = suppress(segments, scores, labels, **self.nms)
        segments = (sample.origin + segments * sample.step).clamp(0, sample.duration)
        if self._external is not None:
            segments, scores, labels = self.external_scores(classes)(sample.video_id, segments, scores)
        return InstanceData(segments=segments, scores=scores, labels=labels)

    def _candidates(self, scores, offsets, valid, places, strides):
        num_classes = scores.shape[1]
        scores = scores[valid].flatten()
        good = (scores > self.min_score).nonzero().squeeze(1)
        # Stable, so that equal scores, which saturated sigmoids give, have the same order on every run.
        scores, order = scores[good].sort(descending=True, stable=True)
        scores, good = scores[: self.max_candidates], good[order[: self.max_candidates]]
        step, labels = good // num_classes, good % num_classes
        reach = offsets[valid][step] * strides[valid][step, None]
        place = places[valid][step]
        segments = torch.stack([place - reach[:, 0], place + reach[:, 1]], dim=1)
        long = segments[:, 1] - segments[:, 0] > self.min_duration
        return segments[long], scores[long], labels[long]
