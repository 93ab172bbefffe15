"""When each frame of a video is on screen, and which packet of the file holds it.

Frames are chosen from this index, and every frame returned is checked against it. It comes from the packets'
presentation time stamps (PTS). If these are unreliable (AVI, MPEG program streams, raw H.264, joined recordings, files
that begin between key frames), all frames are decoded once to learn their order, and times come from the decoding time
stamps (DTS) or the frame rate.
"""

import os
from array import array
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .container import open_container
from .errors import VideoError, video_errors
from .packet_check import PacketCheck

# Formats whose packets have presentation time stamps. In others, FFmpeg guesses some of them.
STAMPED = {'mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm', 'flv', 'mpegts', 'asf', 'ogg', 'gif', 'nut', 'ivf', 'mxf'}
# Formats with an index, which allows reading part of a long file.
SEEKABLE = {'mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm'}
# Formats whose clock may jump where recordings were joined -> seconds from which a step back is a jump: in program
# streams FFmpeg guesses missing stamps, and may go back by some frames.
JUMPING = {'mpegts': 0.0, 'mpeg': 0.5}
JUMP_SECONDS = 10  # a gap from which the clock has jumped too
# Limits beyond which the clock is considered damaged.
LONGEST_FRAME_SECONDS, HIGHEST_RATE = 3600, 10_000
CACHED = 64  # files whose indices a process keeps
NONE = np.iinfo(np.int64).min
PALETTE = 'pal8'  # only the first packet may hold the palette, so decoding begins there


class FrameIndex(NamedTuple):
    """The frames of a video file, or of part of one, in the order of presentation.

    Packets are numbered from 0 in the order of the file, frames in the order of presentation.

    Attributes:
        frame_times (ndarray): (F, 2) float64, start and end of each frame in seconds since the file's first frame.
        packets (ndarray): (F,) int64, the packet of each frame.
        positions (ndarray): (P,) int64, byte offset of each packet; empty if offsets are not unique, so that the file
            can only be decoded from its start.
        stamps (ndarray): (P, 2) int64, PTS and DTS of each packet in the stream's time base, for seeking; NONE if
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


class _Packets(NamedTuple):
    """The demuxer's data of each packet, in the order of the file."""

    pts: np.ndarray
    dts: np.ndarray
    duration: np.ndarray
    position: np.ndarray
    key: np.ndarray  # 0, 1 for key frames, 2 for those after which nothing depends on earlier packets
    hidden: np.ndarray
    corrupt: np.ndarray  # whether the container marks it as damaged


def index_file(path, content=None):
    """Index a whole file; the index of a file on disk is cached.

    Args:
        path (str): The file.
        content (bytes, optional): As for :func:`open_container`.

    Returns:
        FrameIndex: all frames that a player shows.

    Raises:
        VideoError: if it cannot be read as a video, is damaged, or its duration is impossible.
    """
    if content is not None:
        return _index(path, content)
    status = os.stat(path)
    return _index_of_file(os.fspath(path), status.st_size, status.st_mtime_ns)


def index_part(path, start, end):
    """Index the frames of a time span; in formats with an index, the rest of the file is not read.

    Args:
        path (str): The file.
        start (float): Seconds since the first frame.
        end (float): Seconds since the first frame.

    Returns:
        FrameIndex: at least the frames on screen from start to end.
    """
    with video_errors(path):
        return _index_part(path, start, end) or index_file(path)


def read_header(path):
    """The average frames per second and the number of frames of a file; takes milliseconds if the format allows."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f'no video file at {path}')
    with video_errors(path):
        with open_container(path) as (container, stream):
            if container.format.name in SEEKABLE:
                rate = float(stream.average_rate or stream.guessed_rate or 0)
                # Matroska has the length of the whole file only.
                seconds = float(stream.duration * stream.time_base) if stream.duration else _file_seconds(container)
                count = round(seconds * rate)
                if count:
                    return rate, min(count, stream.frames or count)
        index = index_file(path)
        return index.rate, len(index.frame_times)


def number_packets(container, stream):
    """The packets of a stream, except empty ones, which mean that nothing changes."""
    return (packet for packet in container.demux(stream) if packet.size)


def _file_seconds(container):
    return (container.duration or 0) / 1_000_000


@lru_cache(CACHED)
def _index_of_file(path, size, changed):
    return _index(path)


def _index(path, content=None):
    with video_errors(path):
        with open_container(path, content) as (container, stream):
            packets = _read_packets(path, container, stream)
            if not len(packets.pts):
                raise VideoError(f'{path} has no video frames')
            unit = float(stream.time_base)
            rate = float(stream.average_rate or stream.guessed_rate or 25)
            codec, name = stream.codec_context.name, container.format.name
            if stream.codec_context.pix_fmt == PALETTE:
                packets = packets._replace(position=np.full_like(packets.position, -1))
        joints, joined = frozenset(), False
        if name in JUMPING:
            packets, joints, joined = _without_jumps(path, packets, unit, JUMPING[name])
        if name in STAMPED and not joined and _tells_order(packets):
            shown = _by_stamps(packets)
            edges = packets.pts[shown] * unit
        else:
            shown = _decoding_order(path, content, packets)
            edges = _times_of(packets, shown, unit, rate)
        last = packets.duration[shown[-1]] * unit if name in STAMPED else 0
        return _made(path, packets, shown, edges, edges[0], last, codec, name)._replace(joints=joints)


def _index_part(path, start, end):
    """None if only an index of the whole file can tell."""
    with open_container(path) as (container, stream):
        if container.format.name not in SEEKABLE or stream.codec_context.pix_fmt == PALETTE:
            return None
        head = _read_packets(path, container, stream, ahead=0)
        visible = head.pts[~head.hidden]
        if not len(visible) or not _tells_order(head):
            return None
        unit, origin = float(stream.time_base), visible.min()
        packets = None
        target = origin + round(start / unit)
        for _ in range(3):  # a key frame that depends on earlier ones cannot be the start
            container.seek(int(target), stream=stream)
            packets = _read_packets(path, container, stream, until=origin + round(end / unit))
            if not len(packets.pts) or packets.pts[0] == NONE:
                return None
            if packets.key[0] == 2 and packets.pts[0] <= origin + round(start / unit):
                break
            target = min(packets.pts[0], target) - 1
        else:
            return None
        if not _tells_order(packets, whole=False):
            return None
        shown = _by_stamps(packets)
        edges = packets.pts[shown] * unit
        last = packets.duration[shown[-1]] * unit
        index = _made(
            path, packets, shown, edges, origin * unit, last, stream.codec_context.name, container.format.name
        )
        return index._replace(is_part=True)


def _read_packets(path, container, stream, until=None, ahead=None):
    """Packets up to the first that is decoded after a time; with ``ahead``, those that determine the first frame."""
    columns = tuple(array('q') for _ in _Packets._fields)
    check = PacketCheck(stream)
    first = None
    for number, packet in enumerate(number_packets(container, stream)):
        corrupt = packet.is_corrupt and container.format.name in JUMPING
        damage = None if corrupt else check.damage(packet)
        if damage:
            raise VideoError(f'{path} is damaged at packet {number}, at {_seconds(packet):.3f} s: {damage}')
        key = 2 if check.starts_afresh(packet) else int(packet.is_keyframe)
        values = (packet.pts, packet.dts, packet.duration, packet.pos)
        for column, value in zip(columns, values, strict=False):
            column.append(NONE if value is None else value)
        columns[4].append(key)
        columns[5].append(packet.is_discard)
        columns[6].append(corrupt)
        # A frame is shown no earlier than it is decoded.
        if until is not None and packet.dts is not None and packet.dts > until:
            break
        if ahead is not None and packet.pts is not None and not packet.is_discard:
            first = packet.pts if first is None else min(first, packet.pts)
            if packet.dts is not None and packet.dts >= first:
                break
    arrays = [np.asarray(column) for column in columns]
    return _Packets(*arrays[:5], *(array.astype(bool) for array in arrays[5:]))


def _seconds(packet):
    stamp = packet.dts if packet.pts is None else packet.pts
    return 0.0 if stamp is None else float(stamp * packet.time_base)


def _without_jumps(path, packets, unit, step_back):
    """Remove jumps of the clock: back by more than ``step_back`` seconds, or a long gap.

    Returns:
        tuple[_Packets, frozenset, bool]: the packets; those marked as damaged at a jump, an artefact of joining;
        whether there is a jump.
    """
    dts, near = packets.dts, np.zeros(len(packets.dts), bool)
    joined = False
    if (dts != NONE).all():
        steps, usual = np.diff(dts), np.maximum(packets.duration[:-1], 1)
        jumps = (steps * unit < -step_back) | (steps * unit > JUMP_SECONDS)
        joined = bool(jumps.any())
        shift = np.concatenate([[0], np.cumsum(np.where(jumps, usual - steps, 0))])
        packets = packets._replace(pts=np.where(packets.pts == NONE, NONE, packets.pts + shift), dts=dts + shift)
        for place in np.flatnonzero(jumps):
            near[max(place - 2, 0) : place + 3] = True
    lost = np.flatnonzero(packets.corrupt & ~near)
    if len(lost):
        raise VideoError(f'{path} is damaged at packet {lost[0]}: the container marks it as damaged')
    return packets, frozenset(np.flatnonzero(packets.corrupt).tolist()), joined


def _tells_order(packets, whole=True):
    """Whether every packet has a unique presentation time stamp, and the first is shown first."""
    pts = packets.pts
    if (pts == NONE).any() or len(np.unique(pts)) < len(pts):
        return False
    # Frames shown before the first key frame may lack their references.
    return bool(packets.key[0]) and (not whole or pts[0] == pts.min())


def _by_stamps(packets):
    shown = np.flatnonzero(~packets.hidden)
    return shown[np.argsort(packets.pts[shown])]


def _decoding_order(path, content, packets):
    """Packets in the order in which decoding gives their frames, without undecodable ones at the start."""
    shown = array('q')
    with open_container(path, content) as (container, stream):
        first = int(np.argmax(packets.key > 0))
        for number, packet in enumerate(number_packets(container, stream)):
            if number >= first:
                packet.pts = number
                shown.extend(_numbers(path, packet.decode(), bool(shown)))
        shown.extend(_numbers(path, stream.codec_context.decode(None), bool(shown)))
    if not shown:
        raise VideoError(f'{path}: none of its {len(packets.pts)} frames can be decoded')
    return np.array(shown, np.int64)


def _numbers(path, frames, started):
    for frame in frames:
        started = started or not frame.is_corrupt
        if frame.pts is None:
            raise VideoError(f'{path}: its decoder does not report the packet of a frame: convert it to MP4')
        if started:
            yield frame.pts


def _times_of(packets, shown, unit, rate):
    """Starts of frames in seconds: by PTS if they ascend, else by DTS, else by the rate."""
    for stamps in (packets.pts[shown], np.sort(packets.dts)[: len(shown)]):
        if (stamps != NONE).all() and (np.diff(stamps) > 0).all() and _is_plausible(stamps * unit):
            return stamps * unit
    return np.arange(len(shown)) / rate


def _is_plausible(edges):
    steps = np.diff(edges)
    return not len(steps) or (steps.max() < LONGEST_FRAME_SECONDS and steps.mean() * HIGHEST_RATE > 1)


def _made(path, packets, shown, edges, origin, last, codec, name):
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
    # Everything can be decoded from the start.
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
    )
