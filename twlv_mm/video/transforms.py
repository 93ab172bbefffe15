"""From a file to a clip in mmaction2's pipelines: open, choose frames, decode, resize and crop.

OpenVideo, SampleClips and DecodeVideo replace mmaction2's DecordInit, SampleFrames and DecordDecode, which request
frames by number from a decoder that may return others.
"""

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio

from twlv_mm.registry import TRANSFORMS

from .decoders import check_decoder, open_video
from .reader import Segment
from .resize import crop_offsets, resize_and_crop, resize_short_side
from .sampling import TOLERANCE, clip_offsets, frames_at, frames_of_windows, sample_windows


@TRANSFORMS.register_module()
class OpenVideo(BaseTransform):
    """Open a video and index its frames. Goes before SampleClips or EmbeddingSample.

    Required keys: filename, a path or a URL that one of mmengine's file backends reads. Added keys: video_reader (a
    :class:`Reader`), total_frames, avg_fps. ``decoder``: as for :func:`open_video`.
    """

    def __init__(self, decoder=None):
        check_decoder(decoder)
        self.decoder = decoder

    def transform(self, results):
        path = str(results['filename'])
        content = fileio.get(path) if '://' in path else None
        reader = open_video(path, self.decoder, content)
        results.update(video_reader=reader, total_frames=len(reader.frame_times), avg_fps=reader.rate)
        return results


@TRANSFORMS.register_module()
class SampleClips(BaseTransform):
    """Choose clips of frames at a fixed stride, as mmaction2's SampleFrames does.

    In training, the video is divided into ``num_clips`` equal parts, and a clip begins at random in each. In testing,
    clips are at equal intervals from the first frame to the last; a single one is in the middle. A clip that exceeds
    the video's end continues from its start.

    Required keys: total_frames. Added keys: frame_inds (M * N,), clip_len N, num_clips M, frame_interval.

    Args:
        num_frames (int): N, frames of a clip.
        frame_interval (int): Stride between a clip's frames.
        num_clips (int): M.
        test_mode (bool): Choose clips deterministically.

    Source: V-JEPA's clips of 16 frames with stride 4, which the paper follows (section 2.2).
    """

    def __init__(self, num_frames=16, frame_interval=1, num_clips=1, test_mode=False):
        self.num_frames = num_frames
        self.frame_interval = frame_interval
        self.num_clips = num_clips
        self.test_mode = test_mode
        self.choices = dict(frames=num_frames, frame_interval=frame_interval, clips=num_clips)  # for results.json

    def transform(self, results):
        total = results['total_frames']
        offsets = clip_offsets(total, self.num_frames, self.frame_interval, self.num_clips, self.test_mode)
        indices = (offsets[:, None] + np.arange(self.num_frames) * self.frame_interval) % total
        results.update(
            frame_inds=indices.reshape(-1) + results.get('start_index', 0),
            clip_len=self.num_frames,
            num_clips=self.num_clips,
            frame_interval=self.frame_interval,
        )
        return results


@TRANSFORMS.register_module()
class EmbeddingSample(BaseTransform):
    """Choose the clips of Uniform Embedding or Multi-Clip Embedding by time stamps. Goes after OpenVideo.

    Required keys: video_reader. Added keys: frame_inds (M * N,), clip_len N, num_clips M, frame_interval (None),
    clip_times (M, 2) in seconds. Arguments: N, and those of :func:`sample_windows`.

    Source: paper section 2.1 and Figure 4; T = 2 s: section 2.2.3.
    """

    def __init__(self, num_frames=16, sampling='uniform', clip_seconds=2.0, stride_seconds=None):
        self.num_frames = num_frames
        self.sampling = sampling
        self.clip_seconds = clip_seconds
        self.stride_seconds = stride_seconds
        self.choices = dict(frames=num_frames, sampling=sampling)
        if sampling == 'uniform':
            self.choices |= dict(clips=1)
        else:
            self.choices |= dict(clip_seconds=clip_seconds, stride_seconds=stride_seconds or clip_seconds)

    def transform(self, results):
        reader = results['video_reader']
        if not hasattr(reader, 'frame_times'):
            raise TypeError(
                f'EmbeddingSample needs the time stamps of {results.get("filename")}, which was opened as '
                f'{type(reader).__name__}: put twlv_mm.OpenVideo before it and twlv_mm.DecodeVideo after it'
            )
        times = reader.frame_times
        windows = sample_windows(times, self.sampling, self.clip_seconds, self.stride_seconds)
        indices = frames_of_windows(times, windows, self.num_frames)
        results.update(
            frame_inds=indices.reshape(-1),
            clip_len=self.num_frames,
            num_clips=len(windows),
            frame_interval=None,
            clip_times=windows,
        )
        return results


@TRANSFORMS.register_module()
class DecodeVideo(BaseTransform):
    """Decode the chosen frames, each once, from the key frame before the first to the last.

    Required keys: frame_inds (n,) and the video_reader of OpenVideo; or, to index only part of a file, filename and
    instants (n,) in seconds since the first frame, of which the frames on screen are decoded (the last one for instants
    after the end). Added keys: imgs, a list of n (H, W, 3) uint8 RGB arrays, upright; img_shape, original_shape,
    decoder (its name and version). Modified keys, if present: gt_bboxes and proposals (..., 4), from relative
    coordinates to pixels, as mmaction2's decoders do; video_reader is closed and removed.
    """

    def transform(self, results):
        reader = results.pop('video_reader', None)
        if reader is None:
            instants = results['instants']
            first = max(float(np.min(instants)), 0.0)
            reader = open_video(Segment(results['filename'], first, float(np.max(instants)) + TOLERANCE))
            indices = frames_at(reader.frame_times, instants - first)
        else:
            indices = results['frame_inds'] - results.get('start_index', 0)
        with reader:
            images = list(reader.read(indices))
        height, width = images[0].shape[:2]
        results.update(imgs=images, img_shape=(height, width), original_shape=(height, width), decoder=reader.decoder)
        for key in ('gt_bboxes', 'proposals'):
            if results.get(key) is not None:
                results[key] = (results[key] * np.array([width, height, width, height])).astype(np.float32)
        return results


@TRANSFORMS.register_module()
class ResizeCrop(BaseTransform):
    """Make frames square, as the extraction of embeddings does: see :func:`resize_and_crop`.

    Required keys: imgs. Modified keys: imgs, img_shape.
    """

    def __init__(self, size=224, resize='short_side', interpolation='bilinear', short_side=None):
        if short_side is not None and short_side < size:
            raise ValueError(f'short_side={short_side} is less than size={size}, the side of the crop')
        self.short_side = short_side
        self.size = size
        self.resize = resize
        self.interpolation = interpolation
        self.choices = dict(crops=1, resolution=size)

    def transform(self, results):
        images = resize_and_crop(results['imgs'], self.size, self.resize, self.interpolation, self.short_side)
        results.update(imgs=list(images), img_shape=(self.size, self.size))
        return results


@TRANSFORMS.register_module()
class LongSideCrops(BaseTransform):
    """m square crops at equal intervals along the long side, for multi-view testing.

    One crop is the centre crop; three are mmaction2's ThreeCrop with the crops in order. Crops are the outer axis, as
    FormatShape expects.

    Required keys: imgs. Modified keys: imgs (m times as many), img_shape; added: crop_bbox.

    Args:
        size (int): Side of a crop in pixels.
        num_crops (int): m.
        resize (str, optional): 'short_side' resizes the short side of frames to ``size``. If None, they are cropped as
            they are, and must not be smaller.
        interpolation (str): As for ResizeCrop.

    Source: paper section 2.2 ("uniformly sample m clips along the long side direction").
    """

    def __init__(self, size=224, num_crops=3, resize=None, interpolation='bilinear'):
        if resize not in (None, 'short_side'):
            raise ValueError(f"resize is {resize!r}; it must be 'short_side' or None")
        self.size = size
        self.num_crops = num_crops
        self.resize = resize
        self.interpolation = interpolation
        self.choices = dict(crops=num_crops, resolution=size)

    def transform(self, results):
        images = results['imgs']
        if self.resize:
            images = [resize_short_side(image, self.size, self.interpolation) for image in images]
        height, width = images[0].shape[:2]
        if min(height, width) < self.size:
            raise ValueError(
                f'frames of {height} x {width} pixels are smaller than a crop of {self.size}: give LongSideCrops '
                "resize='short_side'"
            )
        tops = crop_offsets(height, self.size, self.num_crops)
        lefts = crop_offsets(width, self.size, self.num_crops)
        results['imgs'] = [
            image[top : top + self.size, left : left + self.size]
            for top, left in zip(tops, lefts, strict=True)
            for image in images
        ]
        boxes = np.array([[x, y, x + self.size, y + self.size] for y, x in zip(tops, lefts, strict=True)])
        results['crop_bbox'] = boxes
        results['img_shape'] = (self.size, self.size)
        return results
