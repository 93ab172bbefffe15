"""Transforms from an item of :class:`~twlv_mm.segmentation.dataset.SegmentationDataset` to a model's input."""

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform

from twlv_mm.registry import TRANSFORMS

from .alignment import at_times, count_steps, stretch

ALIGNMENTS = ('time', 'stretch')


@TRANSFORMS.register_module()
class AlignFeatures(BaseTransform):
    """Resample the features of a video to its T = ceil(num_frames / subsampling) steps.

    Step t stands for the frame ``t * subsampling``, whose middle is at ``(t * subsampling + 0.5) / fps`` seconds.

    Required keys: feats (M, D), num_frames; for alignment 'time' also origin, step (seconds) and fps. Modified keys:
    feats, (T, D). Added keys: subsampling.

    Args:
        alignment (str): 'time' interpolates between the times of the clips' centres, which also holds where the clips
            do not reach the video's end; 'stretch' stretches the sequence of clips to the T steps, as TWLV-I's
            evaluation code does.
        subsampling (int): Frames per step.
    """

    def __init__(self, alignment='time', subsampling=1):
        if alignment not in ALIGNMENTS:
            raise ValueError(f'unknown alignment {alignment!r}; choose from {", ".join(map(repr, ALIGNMENTS))}')
        if subsampling < 1:
            raise ValueError(f'subsampling is {subsampling}; it must be 1 or more')
        self.alignment = alignment
        self.subsampling = subsampling
        self.choices = dict(alignment=alignment, subsampling=subsampling)  # for results.json

    def transform(self, results):
        feats, num_steps = results['feats'], count_steps(results['num_frames'], self.subsampling)
        if self.alignment == 'stretch':
            aligned = stretch(feats, num_steps)
        else:
            times = (np.arange(num_steps) * self.subsampling + 0.5) / results['fps']
            aligned = at_times(feats, results['origin'], results['step'], times)
        results.update(feats=aligned, subsampling=self.subsampling)
        return results


@TRANSFORMS.register_module()
class PackSegmentation(BaseTransform):
    """Pack a video for a segmentation model.

    Required keys: those of an item after ``AlignFeatures``. Returns a dict of inputs, (D, T) float32, and data_samples,
    an ActionDataSample with the metainfo video_id, duration (seconds), fps, num_frames and subsampling, and with
    frame_labels, (F,) int64, and step_labels, (T,) int64.
    """

    def transform(self, results):
        keys = ('video_id', 'duration', 'fps', 'num_frames', 'subsampling')
        sample = ActionDataSample(metainfo={key: results[key] for key in keys})
        sample.frame_labels = torch.from_numpy(results['frame_labels'])
        sample.step_labels = sample.frame_labels[:: results['subsampling']].clone()
        inputs = torch.from_numpy(np.ascontiguousarray(results['feats'].T, np.float32))
        return dict(inputs=inputs, data_samples=sample)
