"""Videos whose every frame says which one it is."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest


def grey_of(frame):
    """Index of a frame of :func:`write_numbered`, from its pixels."""
    return round(float(np.mean(frame)) / 4)


def encode(path, frames, codec='libx264', rate=10, layout='yuv420p', time_base=None, form=None, **options):
    """Write frames, (H, W, 3) RGB or av.VideoFrame, as a video of any codec, pixel format and container.

    Args:
        path (str | Path | file): Where to.
        frames (Iterable): Of one size.
        codec (str): Of FFmpeg.
        rate (int | Fraction): Frames a second.
        layout (str): Pixel format.
        time_base (Fraction, optional): Of the encoder.
        form (str, optional): Container; by the ending if None.
        **options: Of the codec.
    """
    with av.open(str(path) if isinstance(path, str | Path) else path, 'w', format=form) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        for number, frame in enumerate(frames):
            if isinstance(frame, np.ndarray):
                frame = av.VideoFrame.from_ndarray(frame, format='rgb24')
            if not number:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, layout
                if time_base:
                    stream.codec_context.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


def write_numbered(path, times, *, size=(64, 48), rate=30):
    """Write frames of uniform grey 4 * index (modulo 256) at the given times in seconds."""

    def frame(index, time):
        grey = av.VideoFrame.from_ndarray(np.full((*size[::-1], 3), 4 * index % 256, np.uint8), format='rgb24')
        grey.pts, grey.time_base = round(time * 1000), Fraction(1, 1000)
        return grey

    frames = (frame(index, time) for index, time in enumerate(times))
    return encode(path, frames, rate=rate, time_base=Fraction(1, 1000), crf='1')


def write_picture(path, size, degrees):
    """Write a red-left, blue-right video that a player is told to turn by this many degrees, clockwise."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[:, : size[0] // 2, 0] = picture[:, size[0] // 2 :, 2] = 255
    encode(path, [picture] * 4, crf='1')
    # PyAV cannot write the display matrix: it is 36 bytes of the track header (ISO 14496-12, tkhd version 0).
    one, unit = 1 << 16, 1 << 30
    matrix = {90: (0, one, 0, -one, 0), 180: (-one, 0, 0, 0, -one), 270: (0, -one, 0, one, 0)}[degrees]
    content = bytearray(path.read_bytes())
    start = content.find(b'tkhd') + 4 + 40
    content[start : start + 36] = struct.pack('>9i', *matrix, 0, 0, 0, unit)
    path.write_bytes(content)
    return str(path)


@pytest.fixture
def constant_video(tmp_path):
    """Two seconds at 25 frames a second."""
    return write_numbered(tmp_path / 'constant.mp4', np.arange(50) / 25)


@pytest.fixture
def variable_video(tmp_path):
    """One second at 10 frames a second, then one at 40."""
    times = np.concatenate([np.arange(10) / 10, 1 + np.arange(40) / 40])
    return write_numbered(tmp_path / 'variable.mp4', times)
