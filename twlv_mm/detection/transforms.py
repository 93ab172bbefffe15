"""Transforms from a keyframe to a detector's input: sampling of frames, packing, batching of images of several sizes.

mmaction2's transforms in between keep the boxes right: Resize, RandomRescale, RandomCrop, Flip, ColorJitter.
"""

import math
from functools import cache

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform
from mmengine.model import BaseDataPreprocessor
from mmengine.structures import InstanceData

from twlv_mm.registry import MODELS, TRANSFORMS
from twlv_mm.video import index_part, read_header

from .keyframes import has_area

HEADER_SECONDS = 0.5  # by which the length in a header may differ from that of the frames
META_KEYS = ('img_shape', 'img_key', 'video_id', 'timestamp', 'key_frame')


@TRANSFORMS.register_module()
class SampleKeyframeClip(BaseTransform):
    """Choose T frames at equal distances in time with the keyframe at index T // 2.

    The keyframe is the frame that starts nearest to ``timestamp - offset_seconds``, and frame i the one that starts
    nearest to it plus ``(i - T // 2) * seconds / T``, by the time stamps of a file. Before the start of a file its
    first frame repeats, after its end the last.

    Goes before DecodeVideo if the item has a filename, before RawFrameDecode if it has a frame_dir; not after
    OpenVideo, which would read the whole video for each keyframe.

    Required keys: timestamp, offset_seconds; filename, or frame_dir with total_frames, fps and start_index. Added keys:
    instants (T,), for DecodeVideo, or frame_inds (T,), for RawFrameDecode; key_frame (T // 2), clip_len T, num_clips
    (1) and frame_interval (None). Tracks are removed: gt_bboxes becomes (n, 1 + T, 4), the box at the keyframe and
    those at the T frames, which mmaction2's transforms treat like any others, and tube_valid (n, T) marks the known
    ones of the T.

    Args:
        clip_len (int): T.
        seconds (float): Duration of a clip, from its first frame to the first one after it.

    Source: mmaction2's SampleAVAFrames; without its jitter, at 30 frames per second and with ``frame_interval=4``, it
    samples the same frames as ``seconds=16 * 4 / 30``.
    """

    def __init__(self, clip_len=16, seconds=2.1):
        self.clip_len = clip_len
        self.seconds = seconds
        self.choices = dict(frames=clip_len, seconds=seconds)  # for results.json

    def transform(self, results):
        if 'video_reader' in results:
            raise TypeError('SampleKeyframeClip needs DecodeVideo only: remove OpenVideo or DecordInit')
        in_frames = 'frame_dir' in results
        fps, num_frames = (results['fps'], results['total_frames']) if in_frames else file_header(results['filename'])
        key_index = keyframe_index(results, fps, num_frames)
        offsets = (np.arange(self.clip_len) - self.clip_len // 2) * (self.seconds / self.clip_len)
        results.update(key_frame=self.clip_len // 2, clip_len=self.clip_len, num_clips=1, frame_interval=None)
        if in_frames:
            indices = np.floor(key_index + offsets * fps + 0.5).astype(np.int64).clip(0, num_frames - 1)
            starts = indices / fps
            results['frame_inds'] = indices + results['start_index']
        else:
            times = self._times_around(results)
            key = times[_nearest(times, results['timestamp'] - results['offset_seconds']), 0]
            times = times[_nearest(times, key + offsets)]
            starts = times[:, 0]
            # Midpoints of the frames' times, which are safe against rounding of their starts.
            results['instants'] = times.mean(axis=1)
        if 'tracks' in results:
            self._add_tubes(results, results['offset_seconds'] + starts, 1 / fps)
        return results

    def _times_around(self, results):
        instant = results['timestamp'] - results['offset_seconds']
        margin = self.seconds / 2 + 1
        times = index_part(results['filename'], max(instant - margin, 0), instant + margin).frame_times
        # The header of a Matroska file may count sound that goes on.
        if instant > times[-1, 1] + HEADER_SECONDS:
            raise _outside(results, times[-1, 1])
        return times

    def _add_tubes(self, results, times, frame_seconds):
        tubes = [boxes_at(track, times, frame_seconds / 2) for track in results.pop('tracks')]
        boxes = np.array([boxes for boxes, _ in tubes], np.float32).reshape(-1, self.clip_len, 4)
        results['gt_bboxes'] = np.concatenate([results['gt_bboxes'][:, None], boxes], axis=1)
        results['tube_valid'] = np.array([valid for _, valid in tubes], bool).reshape(-1, self.clip_len)


@TRANSFORMS.register_module()
class PackDetection(BaseTransform):
    """Pack a clip with its boxes, clipped to the frame, for a detector.

    Boxes outside the image, as after a crop, are left out, or marked as unknown in tubes.

    Required keys: imgs, (C, T, H, W) as from FormatShape(collapse=True), and img_shape. Returns a dict of inputs, (C,
    T, H, W) uint8, and data_samples, an ActionDataSample with the ``META_KEYS`` that exist. With gt_bboxes, its
    gt_instances has bboxes (n, 4) in pixels, labels (n, C) and, with tubes, tubes (n, T, 4) and tube_valid (n, T); with
    proposals, its proposals has bboxes (m, 4) in pixels and perhaps scores (m,).
    """

    def transform(self, results):
        sample = ActionDataSample(metainfo={key: results[key] for key in META_KEYS if key in results})
        if 'gt_bboxes' in results:
            sample.gt_instances = self._instances(results)
        if 'proposals' in results:
            sample.proposals = InstanceData(bboxes=_clip(results['proposals'], results['img_shape']))
            if 'scores' in results:
                sample.proposals.scores = torch.from_numpy(results['scores'])
        return dict(inputs=torch.from_numpy(np.ascontiguousarray(results['imgs'])), data_samples=sample)

    def _instances(self, results):
        boxes = _clip(results['gt_bboxes'], results['img_shape'])
        instances = InstanceData(labels=torch.from_numpy(results['gt_labels']))
        if boxes.ndim == 3:
            boxes, tubes = boxes[:, 0], boxes[:, 1:].contiguous()
            instances.tubes = tubes
            instances.tube_valid = torch.from_numpy(results['tube_valid']) & has_area(tubes)
        instances.bboxes = boxes.contiguous()
        return instances[has_area(boxes)]


@MODELS.register_module()
class DetectionPreprocessor(BaseDataPreprocessor):
    """Normalise clips, and pad those of a batch with zeros, right and below, to one size that an encoder accepts.

    mmaction2's ActionDataPreprocessor pads before it normalises, so that padding is not zero, and to the size of the
    largest image, which need not be a multiple of the patch size. Every sample gets batch_input_shape (H, W), the
    padded size; its img_shape is the size of the image within.

    Args:
        mean (Sequence[float]): Of R, G and B, 0 to 255.
        std (Sequence[float]): Of R, G and B.
        size_divisor (int): H and W become multiples of it: the side of an encoder's patch.
    """

    def __init__(self, mean, std, size_divisor=16):
        super().__init__()
        self.size_divisor = size_divisor
        self.register_buffer('mean', torch.tensor(mean, dtype=torch.float32).view(-1, 1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std, dtype=torch.float32).view(-1, 1, 1, 1), persistent=False)

    def forward(self, data, training=False):
        """N clips (3, T, h, w) of any sizes -> inputs (N, 3, T, H, W) float32; data_samples stay."""
        data = self.cast_data(data)
        clips, samples = data['inputs'], data['data_samples']
        sides = torch.tensor([clip.shape[-2:] for clip in clips]).amax(dim=0)
        height, width = (sides.add(self.size_divisor - 1) // self.size_divisor * self.size_divisor).tolist()
        batch = self.mean.new_zeros(len(clips), *clips[0].shape[:2], height, width)
        for place, clip, sample in zip(batch, clips, samples, strict=True):
            place[..., : clip.shape[-2], : clip.shape[-1]] = (clip - self.mean) / self.std
            sample.set_metainfo(dict(batch_input_shape=(height, width)))
        return dict(inputs=batch, data_samples=samples)


@cache
def file_header(path):
    """:func:`~twlv_mm.video.read_header`, once for each file."""
    return read_header(path)


def _nearest(times, instants):
    """Index of the frame, of (F, 2) times, that starts nearest to each instant; the later one of two."""
    middles = (times[:-1, 0] + times[1:, 0]) / 2
    return np.searchsorted(middles, np.asarray(instants) + 1e-4, side='right')  # seconds: stamps are rounded


def keyframe_index(item, fps, num_frames):
    """Index of a keyframe among the frames of a file; ValueError if it is outside of the file."""
    index = math.floor(fps * (item['timestamp'] - item['offset_seconds']) + 0.5)
    # A keyframe at the very end, such as second 10 of a file of 10 s, is the last frame.
    if not 0 <= index <= num_frames:
        raise _outside(item, num_frames / fps)
    return min(index, num_frames - 1)


def _outside(item, seconds):
    start = item['offset_seconds']
    return ValueError(
        f'{item.get("filename", item.get("frame_dir"))} lasts from {start:g} to {start + seconds:g} s of the film if '
        f'offset_seconds={start:g} is the time of its first frame, but the keyframe is at {item["timestamp"]:g} s: set '
        'offset_seconds, or get the version of the video that was annotated'
    )


def boxes_at(track, times, tolerance):
    """Boxes (T, 4) of a person at T times, zeros where not annotated, and (T,) bool: annotated or not.

    A ``track`` is seconds (k,), ascending, and boxes (k, 4); a box may be off by less than ``tolerance`` seconds.
    """
    known, boxes = track
    if not len(known):
        return np.zeros((len(times), 4), np.float32), np.zeros(len(times), bool)
    nearest = np.abs(known[:, None] - times).argmin(axis=0)
    valid = np.abs(known[nearest] - times) < tolerance
    return np.where(valid[:, None], boxes[nearest], 0).astype(np.float32), valid


def _clip(boxes, img_shape):
    height, width = img_shape
    return torch.from_numpy(np.clip(boxes, 0, np.array([width, height, width, height])).astype(np.float32))
