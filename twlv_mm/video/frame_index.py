"""When each frame of a video is on screen, and which packet of the file holds it.

Frames are chosen from this index, and every frame returned is checked against it. It comes from the packets'
presentation time stamps (PTS). If these are unreliable (AVI, MPEG program streams, raw H.264, joined recordings, files
that begin between key frames or were given decoding times instead), all frames are decoded once to learn their order,
and times come from the decoding time stamps (DTS) or the frame rate.
"""

import os
import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from av.format import Flags

from .container import open_container
from .errors import VideoError, video_errors
from .packets import (
    JUMPING,
    NO_STAMP,
    STAMPED,
    decoding_order,
    presentation_order,
    read_packets,
    stamps_tell_order,
    without_jumps,
)

# Formats with an index, which allows reading part of a long file.
SEEKABLE = {'mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm'}
# Limits beyond which the clock is considered damaged.
LONGEST_FRAME_SECONDS, HIGHEST_RATE = 3600, 10_000
LATE = 1_000_000  # microseconds
CACHED = 64  # files whose indices a process keeps
PALETTE = 'pal8'  # only the first packet may hold the palette, so decoding begins there


class FrameIndex(NamedTuple):
    """The frames of a video file, or of part of one, in the order of presentation.

    Packets are numbered from 0 in the order of the file, frames in the order of presentation.

    Attributes:
        frame_times (ndarray): (F, 2) float64, start and end of each frame in seconds since the file's first frame.
        packets (ndarray): (F,) int64, the packet of each frame.
        positions (ndarray): (P,) int64, byte offset of each packet; empty if offsets are not unique, so that the file
            can only be decoded from its start.
        stamps (ndarray): (P, 2) int64, PTS and DTS of each packet in the stream's time base, for seeking; NO_STAMP if
            missing.
        starts (ndarray): (S,) int64, packets at which decoding can begin; the first packet at least.
        first_shown (ndarray): (S,) int64, the first frame that decoding from there is certain to give.
        depends (bool): Whether frames may depend on packets before their key frame.
        codec (str): FFmpeg's name of the codec.
        container (str): FFmpeg's name of the format.
        is_part (bool): Whether it covers only part of the file.
        joints (frozenset): Packets that the container marks as damaged only because recordings were joined there.
    """

    frame_times: np.ndarray
    packets: np.ndarray
    positions: np.ndarray
    stamps: np.ndarray
    starts: np.ndarray
    first_shown: np.ndarray
    depends: bool
    codec: str
    container: str
    is_part: bool = False
    joints: frozenset = frozenset()

    @property
    def rate(self):
        """Frames per second, on average."""
        return len(self.frame_times) / float(self.frame_times[-1, 1] - self.frame_times[0, 0])

    def start_of(self, frame):
        """The packet at which decoding must begin to give a frame."""
        return int(self.starts[np.searchsorted(self.first_shown, frame, side='right') - 1])

    def certain_from(self, start):
        """The first frame that decoding from a packet is certain to give."""
        return int(self.first_shown[self.starts == start].min())


def index_file(path, content=None):
    """Index all frames of a file (or of its bytes, ``content``) that a player shows; a file's index is cached.

    Raises:
        VideoError: if it cannot be read as a video, is damaged, or its duration is impossible.
    """
    if content is not None:
        return _index(path, content)
    status = os.stat(path)
    return _index_of_file(os.fspath(path), status.st_size, status.st_mtime_ns)


def index_part(path, start, end):
    """Index at least the frames on screen from ``start`` to ``end``, in seconds since the first frame.

    In formats with an index, the rest of the file is not read.
    """
    with video_errors(path):
        return _index_part(path, start, end) or index_file(path)


def read_header(path):
    """The average frames per second and the number of frames of a file; takes milliseconds if the format allows."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no video file at {path}')
    with video_errors(path):
        with open_container(path) as (container, stream):
            # Matroska's length may count from before a late start.
            if container.format.name in SEEKABLE and (container.start_time or 0) < LATE:
                rate = float(stream.average_rate or stream.guessed_rate or 0)
                # Matroska has the length of the whole file only.
                seconds = float(stream.duration * stream.time_base) if stream.duration else _file_seconds(container)
                count = round(seconds * rate)
                if count:
                    return rate, min(count, stream.frames or count)
        index = index_file(path)
        return index.rate, len(index.frame_times)


def _file_seconds(container):
    return (container.duration or 0) / 1_000_000


@lru_cache(CACHED)
def _index_of_file(path, size, changed):
    return _index(path)


def _index(path, content=None):
    with video_errors(path):
        with open_container(path, content) as (container, stream):
            packets = read_packets(path, container, stream)
            if not len(packets.pts):
                raise VideoError(f'{path} has no video frames')
            unit, reordered = float(stream.time_base), stream.codec_context.has_b_frames
            rate = _rate_of(path, container, stream)
            codec, name = stream.codec_context.name, container.format.name
            if stream.codec_context.pix_fmt == PALETTE:
                packets = packets._replace(position=np.full_like(packets.position, -1))
        joints, joined = frozenset(), False
        if name in JUMPING:
            packets, joints, joined = without_jumps(path, packets, unit, JUMPING[name])
        if name in STAMPED and not joined and stamps_tell_order(packets, reordered):
            shown = presentation_order(packets)
            edges = packets.pts[shown] * unit
        else:
            shown = decoding_order(path, content, packets)
            edges = _times_of(packets, shown, unit, rate, name in STAMPED)
        last = packets.duration[shown[-1]] * unit if name in STAMPED else 0
        return _made(path, packets, shown, edges, edges[0], last, codec, name)._replace(joints=joints)


def _index_part(path, start, end):
    """None if only an index of the whole file can tell."""
    with open_container(path) as (container, stream):
        if container.format.name not in SEEKABLE or stream.codec_context.pix_fmt == PALETTE:
            return None
        head = read_packets(path, container, stream, ahead=0)
        visible = head.pts[~head.hidden]
        if not len(visible) or not stamps_tell_order(head):
            return None
        unit, origin = float(stream.time_base), visible.min()
        packets = None
        target = origin + round(start / unit)
        for _ in range(3):  # a key frame that depends on earlier ones cannot be the start
            container.seek(int(target), stream=stream)
            packets = read_packets(path, container, stream, until=origin + round(end / unit))
            if not len(packets.pts) or packets.pts[0] == NO_STAMP:
                return None
            if packets.key[0] == 2 and packets.pts[0] <= origin + round(start / unit):
                break
            target = min(packets.pts[0], target) - 1
        else:
            return None
        if not stamps_tell_order(packets, stream.codec_context.has_b_frames, whole=False):
            return None
        shown = presentation_order(packets)
        edges = packets.pts[shown] * unit
        last = packets.duration[shown[-1]] * unit
        codec, name = stream.codec_context.name, container.format.name
        return _made(path, packets, shown, edges, origin * unit, last, codec, name, is_part=True)


def _rate_of(path, container, stream):
    """Frames per second where stamps do not tell times."""
    if not container.format.flags & Flags.no_timestamps.value:
        return float(stream.average_rate or stream.guessed_rate or 25)
    # FFmpeg takes the average of raw streams as 25; guessed_rate is the codec's.
    rate = stream.guessed_rate or 25
    if not stream.codec_context.framerate:
        warnings.warn(f'{path} states no frame rate: {rate} frames per second are assumed', stacklevel=2)
    return float(rate)


def _times_of(packets, shown, unit, rate, stamped):
    """Starts of frames in seconds: by PTS if they ascend (also in the file's order), else by DTS, else by the rate."""
    least = 0 if stamped else 1  # FFmpeg's guesses repeat, and are wrong then
    for stamps in (packets.pts[shown], packets.pts[np.sort(shown)], np.sort(packets.dts)[: len(shown)]):
        if (stamps != NO_STAMP).all() and (np.diff(stamps) >= least).all() and _is_plausible(stamps * unit):
            return stamps * unit
    return np.arange(len(shown)) / rate


def _is_plausible(edges):
    steps = np.diff(edges)
    return not len(steps) or (steps.max() < LONGEST_FRAME_SECONDS and steps.mean() * HIGHEST_RATE > 1)


def _made(path, packets, shown, edges, origin, last, codec, name, is_part=False):
    if not len(shown):
        raise VideoError(f'{path} has no frame that is shown')
    usual = np.median(np.diff(edges)) if len(edges) > 1 else 1 / 30
    edges = np.append(edges, edges[-1] + (last if last > 0 else usual)) - origin
    if not _is_plausible(edges):
        raise VideoError(
            f'{path} has {len(shown)} frames in {edges[-1] - edges[0]:g} s by its time stamps, which cannot be true: '
            'convert it to MP4'
        )
    starts = np.flatnonzero(packets.key)
    # From a key frame that depends on others, frames are right from the next key frame on.
    places = np.full(len(packets.pts), len(shown))
    places[shown] = np.arange(len(shown))
    first_shown = places[starts]
    afresh = packets.key[starts] == 2
    first_shown = np.where(afresh, first_shown, np.append(first_shown[1:], len(shown)))
    if not is_part:  # everything can be decoded from the start of the file
        starts, first_shown = np.append(0, starts), np.append(0, first_shown)
    order = np.lexsort((starts, first_shown))
    unique = len(np.unique(packets.position)) == len(packets.position) and (packets.position >= 0).all()
    return FrameIndex(
        np.stack([edges[:-1], edges[1:]], axis=1),
        shown,
        packets.position if unique else packets.position[:0],
        np.stack([packets.pts, packets.dts], axis=1),
        starts[order],
        first_shown[order],
        not afresh.all(),
        codec,
        name,
        is_part,
    )
