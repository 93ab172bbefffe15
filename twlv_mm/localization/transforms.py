"""Transforms from an item of :class:`~twlv_mm.localization.dataset.LocalizationDataset` to a model's input.

All of them preserve times: step g of ``segments`` is at ``origin + g * step``, before and after.
"""

import numpy as np
import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from twlv_mm.registry import TRANSFORMS

# BMN rounds duration_frame down to a multiple of its feature_extraction_interval and shortens its proposals
# accordingly; this number is a multiple of 1 to 16.
BMN_FRAMES = 720720


@TRANSFORMS.register_module()
class CropFeatures(BaseTransform):
    """Take a random window of a video in training.

    The window has ``max_length`` steps, or a random share of a video that is not longer. Its start is drawn uniformly
    from those that keep an action, which is equivalent to ActionFormer's drawing again until one is kept. Actions are
    cut to the window, and kept if at least ``min_overlap`` of them is inside. Where no window holds that much of any
    action, as with actions longer than two windows, those that hold the largest share are drawn from.

    Required keys: feats (T, D), origin, step and clip_seconds (seconds), segments (G, 2) in steps, labels (G,).
    Modified keys: feats, origin, segments, labels.

    Args:
        max_length (int): Maximum number of steps of a window.
        crop_ratio (tuple[float, float]): Minimum and maximum share of a video of at most ``max_length`` steps.
        min_overlap (float): Share of an action that must be inside.

    Source: ActionFormer, Zhang et al. 2022; the defaults are its values for THUMOS14, the length is also that of paper
    Table 7.
    """

    def __init__(self, max_length=2304, crop_ratio=(0.9, 1.0), min_overlap=0.5):
        self.max_length = max_length
        self.crop_ratio = crop_ratio
        self.min_overlap = min_overlap

    def transform(self, results):
        total, segments = len(results['feats']), results['segments']
        length = self.max_length
        if total <= length:
            least, most = (round(ratio * total) for ratio in self.crop_ratio)
            length = np.random.randint(max(least, 1), max(most, 1) + 1)
        if length == total:
            return results
        starts = np.arange(total - length + 1)
        # A window shows half a clip before its first step; ActionFormer counts a step more at its end.
        margin = results['clip_seconds'] / 2 / results['step']
        inside = np.minimum(starts[:, None] + length + margin, segments[:, 1])
        inside = inside - np.maximum(starts[:, None] - margin, segments[:, 0])
        shares = inside / (segments[:, 1] - segments[:, 0])
        needed = min(self.min_overlap, shares.max(initial=-np.inf))
        kept = shares >= needed
        if len(segments):
            starts, kept = starts[kept.any(axis=1)], kept[kept.any(axis=1)]
        drawn = np.random.randint(len(starts))
        start, kept = int(starts[drawn]), kept[drawn]
        results.update(
            feats=results['feats'][start : start + length],
            origin=results['origin'] + start * results['step'],
            segments=(np.clip(segments[kept], start - margin, start + length + margin) - start).astype(np.float32),
            labels=results['labels'][kept],
        )
        return results


@TRANSFORMS.register_module()
class ResizeFeatures(BaseTransform):
    """Resize a video to a number of steps by linear interpolation (``align_corners=False``).

    The new step j is at the old step ``(j + 0.5) * T / length - 0.5``, and ``origin`` and ``step`` are updated exactly;
    ActionFormer uses an approximation that shifts its times by less than an old step. A clip is then as long as a step.

    Required and modified keys: feats (T, D), origin, step and clip_seconds (seconds), segments (G, 2) in steps.

    Args:
        length (int): Steps: 192 for ActivityNet-1.3's ActionFormer, 100 for BMN.
    """

    def __init__(self, length=192):
        self.length = length

    def transform(self, results):
        feats, step = results['feats'], results['step']
        scale = len(feats) / self.length
        resized = F.interpolate(torch.from_numpy(feats.T[None]), self.length, mode='linear', align_corners=False)
        results.update(
            feats=resized[0].T.numpy(),
            origin=results['origin'] + (scale - 1) / 2 * step,
            step=scale * step,
            clip_seconds=scale * step,
            segments=((results['segments'] + 0.5) / scale - 0.5).astype(np.float32),
        )
        return results


@TRANSFORMS.register_module()
class PackLocalization(BaseTransform):
    """Pack a video for a localization model.

    Required keys: those of an item. Returns a dict of inputs, (D, T) float32, and data_samples, an ActionDataSample
    with the metainfo video_id, duration, origin, step (in seconds) and classes (None without them) and with
    gt_instances: segments (G, 2) float32 in steps and labels (G,) int64.
    """

    def transform(self, results):
        return _pack(
            results['feats'],
            {key: results.get(key) for key in ('video_id', 'duration', 'origin', 'step', 'classes')},
            segments=torch.from_numpy(results['segments']),
            labels=torch.from_numpy(results['labels']),
        )


@TRANSFORMS.register_module()
class PackProposals(BaseTransform):
    """Pack a video for mmaction2's BMN, and for its ANetMetric with AR@AN.

    Use it after ``ResizeFeatures(length=temporal_dim)``; in tests BMN takes one video a batch. BMN's proposals are then
    in seconds, for any ``feature_extraction_interval`` up to 16. Its metric drops the first two characters of a name,
    ActivityNet's 'v_', which are prepended to video ids that lack them. A video must have an action, without which
    neither BMN's loss nor AR@AN is defined.

    Required keys: those of an item. Returns a dict of inputs, (D, T) float32, and data_samples, an ActionDataSample
    with gt_instances.gt_bbox, (G, 2) float32 in shares of the video's duration, and the metainfo that BMN reads.
    """

    def transform(self, results):
        duration, video_id = results['duration'], results['video_id']
        if not len(results['segments']):
            raise ValueError(f'{video_id} has no action, but BMN and AR@AN need one: leave it out of ann_file')
        seconds = results['origin'] + results['segments'].astype(np.float64) * results['step']
        metainfo = dict(
            video_name=video_id if video_id.startswith('v_') else f'v_{video_id}',
            duration_second=duration,
            duration_frame=BMN_FRAMES,
            feature_frame=BMN_FRAMES,
            annotations=[
                dict(segment=segment, label=label)
                for segment, label in zip(seconds.tolist(), results['labels'].tolist(), strict=True)
            ],
        )
        shares = np.clip(seconds / duration, 0, 1).astype(np.float32)
        return _pack(results['feats'], metainfo, gt_bbox=torch.from_numpy(shares))


def _pack(feats, metainfo, **instances):
    sample = ActionDataSample(metainfo=metainfo)
    sample.gt_instances = InstanceData(**instances)
    return dict(inputs=torch.from_numpy(np.ascontiguousarray(feats.T, np.float32)), data_samples=sample)
