"""mmaction2 transforms: the paper's two samplings, and crops along the long side."""

import numpy as np
from mmcv.transforms import BaseTransform

from twlv_mm.registry import TRANSFORMS

from .reader import decord_frame_times
from .sampling import frames_of_windows, sample_windows


@TRANSFORMS.register_module()
class EmbeddingSample(BaseTransform):
    """Sample the clips of Uniform Embedding or Multi-Clip Embedding, by real time stamps.

    Goes between DecordInit and DecordDecode.

    Required keys: video_reader. Added keys: frame_inds (M * N,), clip_len N, num_clips M, frame_interval (None),
    clip_times (M, 2) in seconds.

    Args:
        num_frames (int): N, frames a clip.
        sampling (str): 'uniform' or 'multi-clip'.
        clip_seconds (float): T of 'multi-clip', in seconds.
        stride_seconds (float, optional): T_s of 'multi-clip', in seconds; T if None.

    Raises:
        TypeError: if the video was not opened by DecordInit.

    Source: paper section 2.1 and Figure 4; T = 2 s: section 2.2.3.
    """

    def __init__(self, num_frames=16, sampling='uniform', clip_seconds=2.0, stride_seconds=None):
        self.num_frames = num_frames
        self.sampling = sampling
        self.clip_seconds = clip_seconds
        self.stride_seconds = stride_seconds

    def transform(self, results):
        """See the class."""
        reader = results['video_reader']
        if not hasattr(reader, 'get_frame_timestamp'):
            raise TypeError(
                f'EmbeddingSample needs the time stamps of a decord reader, but {results.get("filename")} was opened '
                f'as {type(reader).__name__}: put DecordInit before it'
            )
        frame_times = decord_frame_times(reader)
        windows = sample_windows(frame_times, self.sampling, self.clip_seconds, self.stride_seconds)
        indices = frames_of_windows(frame_times, windows, self.num_frames)
        results.update(
            frame_inds=indices.reshape(-1),
            clip_len=self.num_frames,
            num_clips=len(windows),
            frame_interval=None,
            clip_times=windows,
        )
        return results


@TRANSFORMS.register_module()
class LongSideCrops(BaseTransform):
    """m square crops at equal intervals along the long side, for multi-view testing.

    Goes after ``Resize(scale=(-1, size))``. One crop is the centre crop; three are mmaction2's ThreeCrop with the crops
    in order. Crops come crops-major, as FormatShape expects them.

    Required keys: imgs. Modified keys: imgs (m times as many), img_shape; added: crop_bbox.

    Args:
        size (int): Side of a crop in pixels, at most the short side of the frames.
        num_crops (int): m.

    Raises:
        ValueError: if the frames are smaller than a crop.

    Source: paper section 2.2 ("uniformly sample m clips along the long side direction").
    """

    def __init__(self, size=224, num_crops=3):
        self.size = size
        self.num_crops = num_crops

    def transform(self, results):
        """See the class."""
        height, width = results['imgs'][0].shape[:2]
        if min(height, width) < self.size:
            raise ValueError(
                f'frames of {height} x {width} pixels are smaller than a crop of {self.size}: put '
                f'Resize(scale=(-1, {self.size})) before LongSideCrops'
            )
        tops = crop_offsets(height, self.size, self.num_crops)
        lefts = crop_offsets(width, self.size, self.num_crops)
        results['imgs'] = [
            image[top : top + self.size, left : left + self.size]
            for top, left in zip(tops, lefts, strict=True)
            for image in results['imgs']
        ]
        boxes = np.array([[x, y, x + self.size, y + self.size] for y, x in zip(tops, lefts, strict=True)])
        results['crop_bbox'] = boxes
        results['img_shape'] = (self.size, self.size)
        return results


def crop_offsets(length, size, count):
    """Where crops start along one side: evenly from one end to the other, in the middle if there is one.

    Args:
        length (int): Pixels of the side.
        size (int): Pixels of a crop.
        count (int): Number of crops.

    Returns:
        list[int]: ``count`` offsets in pixels.
    """
    if count == 1:
        return [(length - size) // 2]
    return [(length - size) * i // (count - 1) for i in range(count)]
