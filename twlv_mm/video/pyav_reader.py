"""Frames through PyAV, each compared with the index of the file."""

import av
import numpy as np

from .container import open_container
from .errors import VideoError
from .index import NONE, index_file, index_part, number_packets
from .picture import PictureMaker
from .reader import Reader, Segment, segment_frames

LEAP = 16  # packets that are rather decoded than leapt over


class PyAVReader(Reader):
    """Frames through PyAV, decoded by one thread.

    A frame is found by the packet that the index says it is in: decoding begins at a key frame before it, and every
    frame from there on has to come in its turn. Where one does not, or a container leads elsewhere than it says, the
    video is decoded from its start; where it is missing then, too, that is an error. Frames on the way that FFmpeg
    calls damaged are errors as well. What remains unnoticed are wrong bytes that decode to a valid frame: with random
    bytes in one H.264 frame of some kilobytes that was 1 in 20 to 3 in 20 files, in one predicted frame of a few
    hundred bytes half of them or more.

    Args:
        path (str | Segment): A video file, or a stretch of one.
        content (bytes, optional): The file's bytes, where it is a member of an archive.

    Raises:
        VideoError: if the file cannot be read, is damaged, or ends before the stretch starts.
    """

    def __init__(self, path, content=None):
        self.path = path
        self.decoder = f'av {av.__version__}'
        self._file = path.path if isinstance(path, Segment) else path
        self._content = content
        self._opened = self._container = self._run = None
        self._picture = PictureMaker()
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
        # Something is not where the container says: decode from the start of the file.
        self.close()
        if self._index.is_part:
            self._take(index_file(self._file))
        self._seekable = False
        return self._find(index + self._first)

    def _find(self, place):
        start = self._index.start_of(place) if self._seekable else 0
        # Decoding on is less work than a leap of a few frames.
        if self._run is None or place < self._next or start > self._fed + LEAP:
            self._run = self._frames_from(start)
        for frame_place, frame in self._run:
            if frame_place == place:
                return frame
        raise VideoError(f'{self._file} ends after {self._next} of {len(self._index.frame_times)} frames')

    def _frames_from(self, start):
        """Frames with their places, from the first that decoding from a packet gives for certain."""
        self._next, self._fed = self._index.certain_from(start), start
        fresh = self._container is None or not self._seekable
        if fresh:
            self._close_file()
            self._opened = open_container(self._file, self._content)
            self._container, self._stream = self._opened.__enter__()
        self._sought = self._index.is_part or not (fresh and start == 0)
        if self._sought:
            packets = self._packets_from(start)
        else:
            packets = enumerate(number_packets(self._container, self._stream))
        for number, packet in packets:
            if number >= start:
                self._fed = packet.pts = number
                yield from self._in_turn(packet.decode())
        yield from self._in_turn(self._stream.codec_context.decode(None))

    def _in_turn(self, frames):
        for frame in frames:
            number = frame.pts
            place = -1 if number is None or number >= len(self._places) else self._places[number]
            # Frames before the first for certain, and those that an edit list hides, are not looked at.
            if place < self._next:
                continue
            if place > self._next:
                raise VideoError(f'{self._file}: frame {self._next} is missing or out of place')
            if frame.is_corrupt and number not in self._index.joints:
                raise VideoError(f'{self._file}: frame {place} is damaged')
            self._next += 1
            yield place, frame

    def _packets_from(self, start):
        """Numbered packets from one on, or from before it: their places in the file tell which they are."""
        positions = self._index.positions
        order = np.argsort(positions)
        for stamp in self._index.stamps[start]:
            if stamp == NONE:
                continue
            self._container.seek(int(stamp), stream=self._stream)
            number = None
            for packet in number_packets(self._container, self._stream):
                if number is None:
                    at = len(order) if packet.pos is None else np.searchsorted(positions, packet.pos, sorter=order)
                    if at == len(order) or positions[order[at]] != packet.pos:
                        continue  # before the part that is indexed
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
        """See the base class."""
        if self._run is not None:
            self._run.close()
            self._run = None
        self._close_file()

    def _close_file(self):
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
            self._opened = self._container = None
