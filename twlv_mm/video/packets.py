"""What a video file's packets tell without decoding: when its frames are shown, and damage to its structure."""

import os
import re
from functools import partial
from typing import NamedTuple

import av
import numpy as np
from av.stream import Disposition

from .reader import VideoError, reason, relative_times

# H.264 (ISO 14496-10, 7.4.1) and H.265 write three bytes that begin with two zeros only as 00 00 03, so a run of
# zeros within a unit is damage; zeros at its end are padding that decoders pass over.
_ZEROS_WITHIN = re.compile(rb'\0\0\0+[^\0]')
# Byte of the extra data whose two lowest bits hold the size of a unit's length, less one (ISO 14496-15).
_LENGTH_SIZE_AT = {'h264': 4, 'hevc': 21}


class FrameIndex(NamedTuple):
    """The frames of a video file in the order in which they are shown.

    Attributes:
        stream (int): Index of the video stream in the file.
        stamps (ndarray, optional): (F,) int64 time stamps in the file's own unit; None where the container, such as
            AVI, has none.
        frame_times (ndarray): (F, 2) float64, start and end of each frame in seconds since the first frame.
    """

    stream: int
    stamps: np.ndarray | None
    frame_times: np.ndarray


class VideoHeader(NamedTuple):
    """What a video file says of itself before its first packet.

    Attributes:
        fps (float): Frames a second, on average.
        num_frames (int): Frames, counted by the file or reckoned from its length.
    """

    fps: float
    num_frames: int


def read_header(path):
    """Read how long a video file is without going through its packets, in milliseconds whatever its length.

    Args:
        path (str): A video file.

    Returns:
        VideoHeader: its rate and length.

    Raises:
        FileNotFoundError: if there is no such file.
        VideoError: if it cannot be read as a video, ends before its index does, or does not say how long it is.
    """
    try:
        with av.open(os.fspath(path)) as container:
            stream = _video_stream(path, container)
            _check_whole(path, stream)
            fps = float(stream.average_rate or stream.guessed_rate or 0)
            # Matroska has the length of the whole file only.
            seconds = (container.duration or 0) / av.time_base
            if stream.duration:
                seconds = float(stream.duration * stream.time_base)
            num_frames = stream.frames or round(seconds * fps)
            if not (fps and num_frames):
                raise VideoError(f'{path} does not say how many frames it has, or how many a second: convert it to MP4')
            return VideoHeader(fps, num_frames)
    except FileNotFoundError:
        raise FileNotFoundError(f'no video file at {path}') from None
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f'{path} cannot be read as a video: {reason(error)}') from error


def index_frames(path):
    """Go through the packets of a video file.

    Noticed are: files that end before their index does, packets that the container calls damaged, and, in H.264 and
    H.265 of MP4, MOV, MKV and FLV, units that do not fill their packet and runs of zeros where the coding cannot write
    any, as holes in a download leave them. Not noticed are other wrong bytes within a frame, and MKV and WebM files
    that end early: these look like shorter videos.

    Args:
        path (str): A video file.

    Returns:
        FrameIndex: its frames.

    Raises:
        VideoError: if it cannot be read as a video, or is damaged.
    """
    try:
        with av.open(path) as container:
            stream = _video_stream(path, container)
            _check_whole(path, stream)
            find_damage = damage_finder(stream)
            # AVI has no time stamps: FFmpeg makes some up in the order of decoding.
            shown, stamped = [], container.format.name != 'avi'
            for number, packet in enumerate(packet for packet in container.demux(stream) if packet.size):
                damage = find_damage(packet)
                if damage:
                    raise VideoError(f'{path} is damaged at packet {number}: {damage}')
                if packet.is_discard:
                    continue
                stamped = stamped and packet.pts is not None
                shown.append((packet.dts if packet.pts is None else packet.pts, packet.duration or 0))
            if not shown:
                raise VideoError(f'{path} has no video frames')
            stamps, durations = np.array(sorted(shown), dtype=np.int64).T
            edges = np.append(stamps, stamps[-1] + durations[-1]) * float(stream.time_base)
            return FrameIndex(stream.index, stamps if stamped else None, relative_times(edges))
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f'{path} cannot be decoded: {reason(error)}') from error


def damage_finder(stream):
    """Make what looks for damage in packets, as :func:`index_frames` does.

    Args:
        stream (av.VideoStream): Of an open container.

    Returns:
        Callable: a packet of the stream -> str, what is wrong with its structure, or None.
    """
    return partial(_damage, length_size=_length_size(stream.codec_context))


def _video_stream(path, container):
    # FFmpeg opens a picture as a video of one frame, whatever its name, through formats such as png_pipe.
    if container.format.name.endswith('_pipe'):
        raise VideoError(f'{path} is no video but a picture ({container.format.long_name})')
    stream = container.streams.best('video')
    # The cover of a piece of music is a stream, too.
    if stream is None or Disposition.attached_pic in stream.disposition:
        raise VideoError(f'{path} has no video stream')
    if stream.codec_context is None:
        raise VideoError(f'{path} cannot be decoded: FFmpeg knows no decoder for its video')
    return stream


def _check_whole(path, stream):
    end = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
    if end > os.path.getsize(path):
        raise VideoError(f'{path} is cut short: {os.path.getsize(path)} bytes, its index counts on {end}')


def _length_size(codec):
    """Bytes of the length before each unit of a packet; 0 where units come without lengths."""
    at, extra = _LENGTH_SIZE_AT.get(codec.name), codec.extradata
    # Extra data that begins with a start code instead of the version 1 goes with packets of start codes.
    return (extra[at] & 3) + 1 if at and extra and len(extra) > at and extra[0] == 1 else 0


def _damage(packet, length_size):
    """What is wrong with a packet's structure; None if nothing is to be seen."""
    if packet.is_corrupt:
        return 'the container calls it damaged'
    if packet.pts is None and packet.dts is None:
        return 'it has no time stamp'
    if not length_size:
        return None
    content, start = bytes(packet), 0
    while start < len(content):
        first = start + length_size
        start = first + int.from_bytes(content[start:first], 'big')
        if start > len(content):
            return 'its parts do not add up to its size'
        if _ZEROS_WITHIN.search(content, first, start):
            return 'it has zeros where the coding writes none'
    return None
