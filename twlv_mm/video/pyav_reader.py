"""Read frames with PyAV, each checked against the index of the file."""

import av
import numpy as np

from .container import open_container
from .errors import VideoError
from .frame_converter import FrameConverter
from .frame_index import index_file, index_part
from .packets import NO_STAMP, nonempty_packets
from .reader import Reader, Segment, segment_frames

LEAP = 16  # packets that are decoded rather than skipped by seeking


class PyAVReader(Reader):
    """Reads frames with PyAV, in one thread.

    A frame is identified by its packet in the index: decoding begins at a key frame before it, and every frame from
    there on must arrive in order. If one does not, or seeking misses its target, the video is decoded from its start; a
    frame still missing then is an error, as is a frame that FFmpeg marks as damaged. What remains unnoticed are wrong
    bytes that decode to a valid frame: with random bytes in one H.264 frame of some kilobytes, that was 1 in 20 to 3 in
    20 files; in one predicted frame of a few hundred bytes, half of them or more.

    Raises:
        VideoError: if the file cannot be read, is damaged, or ends before the segment starts.
    """

    def __init__(self, path, content=None):
        self.path = path
        self.decoder = f'av {av.__version__}'
        self._file = path.path if isinstance(path, Segment) else path
        self._content = content
        self._opened = self._container = self._run = None
        self._picture = FrameConverter()
        self._take(index_part(*path) if isinstance(path, Segment) else index_file(path, content))

    def _take(self, index):
        self._index, self._first, self.frame_times = index, 0, index.frame_times
        if isinstance(self.path, Segment):
            self._first, self.frame_times = segment_frames(index.frame_times, *self.path)
        self._places = np.full(len(index.stamps), -1)
        self._places[index.packets] = np.arange(len(index.packets))
        self._seekable = len(index.positions) > 0 and self._content is None
        self._sought = False

    def _decode(self, wanted):
        for index in wanted:
            yield self._picture(self._frame(index))

    def _frame(self, index):
        try:
            return self._find(index + self._first)
        except (VideoError, av.FFmpegError):
            if not self._sought:
                raise
        # Seeking led to the wrong place: decode from the start of the file.
        self.close()
        if self._index.is_part:
            self._take(index_file(self._file))
        self._seekable = False
        return self._find(index + self._first)

    def _find(self, place):
        start = self._index.start_of(place) if self._seekable else 0
        # Decoding on is less work than seeking ahead by a few frames.
        if self._run is None or place < self._next or start > self._fed + LEAP:
            self._run = self._frames_from(start)
        for frame_place, frame in self._run:
            if frame_place == place:
                return frame
        raise VideoError(f'{self._file} ends after {self._next} of {len(self._index.frame_times)} frames')

    def _frames_from(self, start):
        """Yield indices and frames, from the first that decoding from a packet is certain to give."""
        self._next, self._start, self._fed = self._index.certain_from(start), start, start
        fresh = self._container is None or not self._seekable
        if fresh:
            self._close_file()
            self._opened = open_container(self._file, self._content)
            self._container, self._stream = self._opened.__enter__()
        self._sought = self._index.is_part or not (fresh and start == 0)
        if self._sought:
            packets = self._packets_from(start)
        else:
            packets = enumerate(nonempty_packets(self._container, self._stream))
        for number, packet in packets:
            if number >= start:
                self._fed = packet.pts = number
                yield from self._in_turn(packet.decode())
        yield from self._in_turn(self._stream.codec_context.decode(None))

    def _in_turn(self, frames):
        for frame in frames:
            number = frame.pts
            place = -1 if number is None or number >= len(self._places) else self._places[number]
            # Ignore frames before the first certain one, and those that an edit list hides.
            if place < self._next:
                continue
            if place > self._next:
                raise VideoError(f'{self._file}: frame {self._next} is missing or out of place')
            if frame.is_corrupt and number not in self._index.joints:
                raise VideoError(f'{self._file}: frame {place} is damaged')
            if self._sought and number == self._start and not frame.key_frame:
                raise VideoError(f'{self._file}: frame {place} is marked as a key frame, but depends on others')
            self._next += 1
            yield place, frame

    def _packets_from(self, start):
        """Yield numbered packets from one on, or from before it, identified by their byte offsets."""
        positions = self._index.positions
        order = np.argsort(positions)
        for stamp in self._index.stamps[start]:
            if stamp == NO_STAMP:
                continue
            self._container.seek(int(stamp), stream=self._stream)
            number = None
            for packet in nonempty_packets(self._container, self._stream):
                if number is None:
                    at = len(order) if packet.pos is None else np.searchsorted(positions, packet.pos, sorter=order)
                    if at == len(order) or positions[order[at]] != packet.pos:
                        continue  # before the indexed part
                    number = int(order[at])
                    if number > start:
                        break
                yield number, packet
                number += 1
            else:
                if number is not None:
                    return
        raise VideoError(f'{self._file}: packet {start} cannot be found')

    def close(self):
        if self._run is not None:
            self._run.close()
            self._run = None
        self._close_file()

    def _close_file(self):
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
            self._opened = self._container = None
