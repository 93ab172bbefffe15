"""A stretch of a long video, read as if it were a file of its own."""

import av
import numpy as np

from .packets import damage_finder
from .reader import Reader, VideoError, reason
from .sampling import TOLERANCE
from .seek import decode_from, first_stamp, upright


class SegmentReader(Reader):
    """Frames of a segment through PyAV, from the key frame before it on; nothing else of the file is read.

    Times count from the segment's start. Where it goes on after the video's end, it ends there. What is noticed of
    damage, from that key frame to the segment's end, is what :class:`~twlv_mm.video.pyav_reader.PyAVReader` notices,
    but for files that end before their index does.

    Args:
        segment (Segment): Which one.

    Raises:
        VideoError: if the video cannot be read there, has no time stamps, or ends before the segment starts.
    """

    def __init__(self, segment):
        self.path = segment
        self.decoder = f'av {av.__version__}'
        try:
            starts = _frame_starts(segment)
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f'{segment}: {reason(error)}') from error
        length = np.median(np.diff(starts)) if len(starts) > 1 else 1 / 30
        edges = np.append(starts, starts[-1] + length)
        if not len(starts) or edges[-1] <= segment.start + TOLERANCE:
            raise VideoError(f'{segment}: the video ends before: is the list of another version of it?')
        first = max(np.searchsorted(starts, segment.start + TOLERANCE, side='right') - 1, 0)
        last = max(np.searchsorted(starts, segment.end - TOLERANCE), first + 1)
        self._starts = starts[first:last]
        edges = np.clip(edges[first : last + 1] - segment.start, 0, segment.end - segment.start)
        self.frame_times = np.stack([edges[:-1], edges[1:]], axis=1)
        self._frames = None

    def _decode(self, wanted):
        pictures = []
        try:
            if self._frames is None or wanted[0] < self._next:
                self.close()
                self._frames, self._next = decode_from(self.path.path, self._starts[0] + TOLERANCE / 2), 0
            for index in wanted:
                start, frame = next(self._frames, (np.inf, None))
                while start < self._starts[index] - 1e-6:
                    start, frame = next(self._frames, (np.inf, None))
                if start > self._starts[index] + 1e-6:
                    raise VideoError(f'{self.path}: the frame at {self._starts[index]:.3f} s is missing')
                self._next = index + 1
                pictures.append(upright(frame))
        except (av.FFmpegError, OSError) as error:
            raise VideoError(f'{self.path}: {reason(error)}') from error
        return np.stack(pictures)

    def close(self):
        """See the base class."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None


def _frame_starts(segment):
    """(F,) ascending starts of frames in seconds, from one on screen at the segment's start, or earlier, to its end."""
    for seeking in (True, False):
        with av.open(segment.path) as container:
            stream, first = first_stamp(container, segment.path)
            unit = float(stream.time_base)
            if seeking:
                container.seek(first + int(segment.start / unit), stream=stream)
            stamps, find_damage = [], damage_finder(stream)
            for packet in container.demux(stream):
                # A frame is shown no earlier than it is decoded, and packets come in the order of decoding.
                if packet.size == 0 or (packet.dts is not None and (packet.dts - first) * unit > segment.end):
                    break
                if packet.pts is not None and (damage := find_damage(packet)):
                    seconds = (packet.pts - first) * unit
                    raise VideoError(f'{segment}: it is damaged in the frame at {seconds:.3f} s: {damage}')
                stamps.append(packet.pts)
        if None in stamps:
            raise VideoError(f'{segment.path} has no time stamps, so segments of it cannot be found: convert it to MP4')
        starts = (np.unique(np.array(stamps, np.int64)) - first) * unit
        # Containers without an index are sought by guessing, which may lead too far.
        if len(starts) and starts[0] <= segment.start + TOLERANCE:
            break
    return starts
