"""The packets of a video file, and the order in which their frames are shown."""

from array import array
from typing import NamedTuple

import numpy as np

from .container import open_container
from .errors import VideoError
from .packet_check import PacketCheck

# Formats whose packets have presentation time stamps. In others, FFmpeg guesses some of them.
STAMPED = {'mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm', 'flv', 'mpegts', 'asf', 'ogg', 'gif', 'nut', 'ivf', 'mxf'}
# Formats whose clock may jump where recordings were joined -> seconds from which a step back is a jump: in program
# streams FFmpeg guesses missing stamps, and may go back by some frames.
JUMPING = {'mpegts': 0.0, 'mpeg': 0.5}
JUMP_SECONDS = 10  # a gap from which the clock has jumped too
NO_STAMP = np.iinfo(np.int64).min


class Packets(NamedTuple):
    """The demuxer's data of each packet, in the order of the file."""

    pts: np.ndarray
    dts: np.ndarray
    duration: np.ndarray
    position: np.ndarray
    key: np.ndarray  # 0, 1 for key frames, 2 for those after which nothing depends on earlier packets
    hidden: np.ndarray
    corrupt: np.ndarray  # whether the container marks it as damaged


def nonempty_packets(container, stream):
    """The packets of a stream, except empty ones, which mean that nothing changes."""
    return (packet for packet in container.demux(stream) if packet.size)


def read_packets(path, container, stream, until=None, ahead=None):
    """Packets up to the first that is decoded after a time; with ``ahead``, those that determine the first frame."""
    columns = tuple(array('q') for _ in Packets._fields)
    check = PacketCheck(stream)
    first = None
    for number, packet in enumerate(nonempty_packets(container, stream)):
        corrupt = packet.is_corrupt and container.format.name in JUMPING
        damage = None if corrupt else check.damage(packet)
        if damage:
            raise VideoError(f'{path} is damaged at packet {number}, at {_seconds(packet):.3f} s: {damage}')
        key = 2 if check.starts_afresh(packet) else int(packet.is_keyframe)
        values = (packet.pts, packet.dts, packet.duration, packet.pos)
        for column, value in zip(columns, values, strict=False):
            column.append(NO_STAMP if value is None else value)
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
    return Packets(*arrays[:5], *(array.astype(bool) for array in arrays[5:]))


def _seconds(packet):
    stamp = packet.dts if packet.pts is None else packet.pts
    return 0.0 if stamp is None else float(stamp * packet.time_base)


def without_jumps(path, packets, unit, step_back):
    """Remove jumps of the clock: back by more than ``step_back`` seconds, or a long gap.

    Returns:
        tuple[Packets, frozenset, bool]: the packets; those marked as damaged at a jump, an artefact of joining;
        whether there is a jump.
    """
    dts, near = packets.dts, np.zeros(len(packets.dts), bool)
    joined = False
    if (dts != NO_STAMP).all():
        steps, usual = np.diff(dts), np.maximum(packets.duration[:-1], 1)
        jumps = (steps * unit < -step_back) | (steps * unit > JUMP_SECONDS)
        joined = bool(jumps.any())
        shift = np.concatenate([[0], np.cumsum(np.where(jumps, usual - steps, 0))])
        packets = packets._replace(
            pts=np.where(packets.pts == NO_STAMP, NO_STAMP, packets.pts + shift), dts=dts + shift
        )
        for place in np.flatnonzero(jumps):
            near[max(place - 2, 0) : place + 3] = True
    lost = np.flatnonzero(packets.corrupt & ~near)
    if len(lost):
        raise VideoError(f'{path} is damaged at packet {lost[0]}: the container marks it as damaged')
    return packets, frozenset(np.flatnonzero(packets.corrupt).tolist()), joined


def stamps_tell_order(packets, reordered=False, whole=True):
    """Whether every packet has a unique presentation time stamp, and the first is shown first.

    ``reordered``: whether the codec shows frames in another order than that of the file. Stamps in the order of the
    file are then decoding times, which some programs write when they copy frames from a format without others.
    """
    pts = packets.pts
    if (pts == NO_STAMP).any() or len(np.unique(pts)) < len(pts):
        return False
    if reordered and (np.diff(pts) > 0).all():
        return False
    # Frames shown before the first key frame may lack their references.
    return bool(packets.key[0]) and (not whole or pts[0] == pts.min())


def presentation_order(packets):
    shown = np.flatnonzero(~packets.hidden)
    return shown[np.argsort(packets.pts[shown])]


def decoding_order(path, content, packets):
    """Packets in the order in which decoding gives their frames, without undecodable ones at the start."""
    shown = array('q')
    with open_container(path, content) as (container, stream):
        first = int(np.argmax(packets.key > 0))
        for number, packet in enumerate(nonempty_packets(container, stream)):
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
