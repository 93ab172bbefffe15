"""Actions as segments of long videos: the dataset, and sampling within a segment.

In a pipeline, SegmentSample comes before DecodeVideo (of twlv_mm.video), without OpenVideo, which would index a whole
file, perhaps an hour of video, for a sample of a second.
"""

import numpy as np
from mmcv.transforms import BaseTransform

from twlv_mm.registry import DATASETS, TRANSFORMS
from twlv_mm.video import frames_at

from .datasets.video_list_dataset import VideoListDataset


@DATASETS.register_module()
class SegmentDataset(VideoListDataset):
    """Segments of videos with one class each: :class:`VideoListDataset` for a list of lines ``file start end label``.

    Each sample is a dict of filename (str), start and end (float, seconds since the first frame), label (int), modality
    and start_index, for :class:`SegmentSample`.
    """

    segments = True


@TRANSFORMS.register_module()
class SegmentSample(BaseTransform):
    """Sample clips within a segment, as SampleClips does within a video.

    In training, the segment is divided into ``num_clips`` equal parts, and a clip starts at random in each, so that it
    ends within its part, or within the segment if parts are shorter than a clip. In testing, clips are evenly spaced
    from the segment's start to its end; a single one is centred. A segment shorter than a clip is the clip.

    After OpenVideo, the segment is the whole video.

    Required keys: start, end (seconds), or the video_reader of OpenVideo. Added keys: instants (M * N,) in seconds, the
    middles of each clip's N equal parts; clip_times (M, 2) in seconds; clip_len N, num_clips M, frame_interval (None);
    for a whole video also frame_inds (M * N,), the frames shown at these times.

    Args:
        num_frames (int): N, frames per clip.
        clip_seconds (float): Length of a clip. 16 frames with stride 4 at 30 frames per second are 64 / 30 s.
        num_clips (int): M.
        test_mode (bool): Whether clips are at fixed positions rather than random ones.
    """

    def __init__(self, num_frames=16, clip_seconds=64 / 30, num_clips=1, test_mode=False):
        self.num_frames = num_frames
        self.clip_seconds = clip_seconds
        self.num_clips = num_clips
        self.test_mode = test_mode
        self.choices = dict(frames=num_frames, clip_seconds=clip_seconds, clips=num_clips)  # for results.json

    def transform(self, results):
        reader = results.get('video_reader')
        start, end = (results['start'], results['end']) if reader is None else (0.0, float(reader.frame_times[-1, 1]))
        length = min(self.clip_seconds, end - start)
        room = end - start - length
        if not self.test_mode:
            part = (end - start) / self.num_clips
            lowest = np.minimum(np.arange(self.num_clips) * part, room)
            highest = np.clip(lowest + part - length, lowest, room)
            offsets = np.random.uniform(lowest, highest)
        elif self.num_clips == 1:
            offsets = np.array([room / 2])
        else:
            offsets = np.linspace(0, room, self.num_clips)
        starts = start + offsets
        middles = (np.arange(self.num_frames) + 0.5) / self.num_frames
        instants = (starts[:, None] + length * middles).reshape(-1)
        if reader is not None:
            results['frame_inds'] = frames_at(reader.frame_times, instants) + results.get('start_index', 0)
        results.update(
            instants=instants,
            clip_times=np.stack([starts, starts + length], axis=1),
            clip_len=self.num_frames,
            num_clips=self.num_clips,
            frame_interval=None,
        )
        return results
