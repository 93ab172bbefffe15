"""Frames through PyAV."""

import av
import numpy as np

from .packets import index_frames
from .reader import Reader, VideoError, reason


class PyAVReader(Reader):
    """Frames through PyAV, decoded by one thread. Going back in a video decodes it from the start.

    Every frame up to the last one asked for is decoded and checked: its time stamp must be the one that the file
    announces, where it announces any, and FFmpeg must not call it damaged. What remains unnoticed are wrong bytes that
    decode to a valid frame: with random bytes in one H.264 frame of some kilobytes that was 1 in 20 to 3 in 20 files,
    in one predicted frame of a few hundred bytes half of them or more.

    Args:
        path (str): A video file.

    Raises:
        VideoError: if PyAV cannot read the file, or it is damaged.
    """

    def __init__(self, path):
        self.path = path
        self.decoder = f'av {av.__version__}'
        self._index = index_frames(path)
        self.frame_times = self._index.frame_times
        self._container = None

    def _decode(self, wanted):
        frames = []
        try:
            if self._container is None or wanted[0] < self._next:
                self._rewind()
            for index in wanted:
                while self._next <= index:
                    frame = next(self._frames, None)
                    self._check(frame)
                    self._next += 1
                picture = frame.to_ndarray(format='rgb24', width=self._width, height=self._height)
                frames.append(np.rot90(picture, frame.rotation // 90))
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f'{self.path}: frame {self._next}: {reason(error)}') from error
        return np.stack(frames)

    def _rewind(self):
        self.close()
        self._next = 0
        self._container = av.open(self.path)
        stream = self._container.streams[self._index.stream]
        stream.codec_context.thread_count = 1
        self._width, self._height = stream.width, stream.height
        self._frames = self._container.decode(stream)

    def _check(self, frame):
        if frame is None:
            raise VideoError(f'{self.path} ends after {self._next} of {len(self.frame_times)} frames')
        if frame.is_corrupt:
            raise VideoError(f'{self.path}: frame {self._next} is damaged')
        stamps = self._index.stamps
        if stamps is not None and frame.pts != stamps[self._next]:
            raise VideoError(f'{self.path}: frame {self._next} is missing or out of place')

    def close(self):
        """See the base class."""
        if self._container is not None:
            self._container.close()
            self._container = None
