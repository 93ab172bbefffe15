"""From an item of :class:`~twlv_mm.localization.dataset.LocalizationDataset` to what a model takes.

All of them keep the grid of time right: a place g of ``segments`` is the time ``origin + g * step``, before and after.
"""

import numpy as np
import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from twlv_mm.registry import TRANSFORMS

# BMN rounds duration_frame down to a multiple of its feature_extraction_interval and shortens its proposals by what is
# lost; this number is a multiple of 1 to 16.
BMN_FRAMES = 720720


@TRANSFORMS.register_module()
class CropFeatures(BaseTransform):
    """Take a random window of a video in training.

    The window has ``max_length`` steps, or a random share of a video that is not longer. Its start is drawn uniformly
    among those that keep an action, which is where drawing again until one is kept (as ActionFormer does) comes to.
    Actions stay, cut to the window, if at least ``min_overlap`` of them is inside. Where no window holds as much of any
    action, as with actions longer than two windows, the ones that hold the largest share do.

    Required keys: feats (T, D), origin, step and clip_seconds (seconds), segments (G, 2) in steps, labels (G,).
    Modified keys: feats, origin, segments, labels.

    Args:
        max_length (int): Steps of a window at most.
        crop_ratio (tuple[float, float]): Least and greatest share of a video of at most ``max_length`` steps.
        min_overlap (float): Share of an action that must be inside.

    Source: ActionFormer, Zhang et al. 2022; the defaults are its values for THUMOS14, the length that of paper Table 7
    too.
    """

    def __init__(self, max_length=2304, crop_ratio=(0.9, 1.0), min_overlap=0.5):
        self.max_length = max_length
        self.crop_ratio = crop_ratio
        self.min_overlap = min_overlap

    def transform(self, results):
        """See the class."""
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
    """Bring a video to a number of steps by linear interpolation (``align_corners=False``).

    The new step j is where the old step ``(j + 0.5) * T / length - 0.5`` was, and ``origin`` and ``step`` say so
    exactly; ActionFormer takes the video's length in clips for the old one, which moves its times by less than a step
    of the old grid. From here on, a clip is as long as a step.

    Required keys: feats (T, D), origin, step and clip_seconds (seconds), segments (G, 2) in steps. Modified keys: the
    same.

    Args:
        length (int): Steps: 192 of ActivityNet-1.3's ActionFormer, 100 of BMN.
    """

    def __init__(self, length=192):
        self.length = length

    def transform(self, results):
        """See the class."""
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
    with the metainfo video_id, duration, origin and step (in seconds) and with gt_instances: segments (G, 2) float32 in
    steps and labels (G,) int64.
    """

    def transform(self, results):
        """See the class."""
        return _pack(
            results['feats'],
            {key: results[key] for key in ('video_id', 'duration', 'origin', 'step')},
            segments=torch.from_numpy(results['segments']),
            labels=torch.from_numpy(results['labels']),
        )


@TRANSFORMS.register_module()
class PackProposals(BaseTransform):
    """Pack a video for mmaction2's BMN, and for its ANetMetric with AR@AN.

    Use it after ``ResizeFeatures(length=temporal_dim)``; in tests BMN takes one video a batch. BMN's proposals then are
    in seconds, whatever its ``feature_extraction_interval`` up to 16. Its metric leaves out the first two characters of
    a name, ActivityNet's 'v_', which are put in front of video ids that lack them.

    Required keys: those of an item. Returns a dict of inputs, (D, T) float32, and data_samples, an ActionDataSample
    with gt_instances.gt_bbox, (G, 2) float32 in shares of the video's duration, and the metainfo that BMN reads.

    Raises:
        ValueError: if a video has no action: neither BMN's loss nor AR@AN is defined for it.
    """

    def transform(self, results):
        """See the class."""
        duration, video_id = results['duration'], results['video_id']
        if not len(results['segments']):
            raise ValueError(f'{video_id} has no action, which BMN and AR@AN cannot do with: leave it out of ann_file')
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
