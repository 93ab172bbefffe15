"""Write frames as a video file, with the same bytes each time."""

from fractions import Fraction
from itertools import chain

import av
import numpy as np
from av.codec.context import Flags

from twlv_mm.records import writing

TICKS = 90_000  # per second, of given times
# One thread, because slices depend on their number; bitexact below, because FFmpeg would write its version.
_OPTIONS = {'qp': '22', 'preset': 'veryfast', 'threads': '1'}


def write_video(path, frames, fps=8, key_interval=1, frame_times=None):
    """Encode frames as H.264 in MP4; the file appears under its name only once it is complete.

    Args:
        path (str): An .mp4 file in an existing folder.
        frames (Iterable[ndarray]): (H, W, 3) uint8 RGB each, or all of them as (T, H, W, 3); H and W even.
        fps (int | Fraction): Frames per second.
        key_interval (int): Distance of key frames. With 1, a frame's quality does not depend on the frames before it,
            so that the order of frames leaves no other trace; with more, the file is several times smaller.
        frame_times (ndarray, optional): (T, 2) start and end of each frame in seconds, instead of ``fps``.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None or first.shape[0] % 2 or first.shape[1] % 2:
        raise ValueError(f'{path}: H.264 needs frames of even height and width, not {getattr(first, "shape", "none")}')
    with (
        writing(path) as file,
        av.open(file, 'w', format='mp4', options={'fflags': '+bitexact'}) as container,
    ):
        stream = container.add_stream('libx264', rate=fps, options={**_OPTIONS, 'g': str(key_interval)})
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = 'yuv420p'
        if frame_times is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
            stream.codec_context.flags |= Flags.frame_duration
            ticks = _ticks(frame_times)
        for picture in chain([first], frames):
            frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
            if frame_times is not None:
                frame.time_base, (frame.pts, frame.duration) = Fraction(1, TICKS), next(ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _ticks(frame_times):
    """Iterator over start and length of each frame; frames that start at the same time do so one tick apart."""
    places = np.arange(len(frame_times))
    starts = np.maximum.accumulate(np.round(frame_times[:, 0] * TICKS).astype(np.int64) - places) + places
    end = max(round(float(frame_times[-1, 1]) * TICKS), int(starts[-1]) + 1)
    return zip(starts.tolist(), np.diff(starts, append=end).tolist(), strict=True)
