"""Videos whose every frame says which one it is."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest


def grey_of(frame):
    """Index of a frame of :func:`write_numbered`, from its pixels."""
    return round(float(np.mean(frame)) / 4)


def write_numbered(path, times, *, size=(64, 48), rate=30):
    """Write frames of uniform grey 4 * index (modulo 256) at the given times in seconds (None: a constant rate)."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=rate, options={'crf': '1'})
        stream.width, stream.height = size
        stream.pix_fmt = 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(
                np.full((size[1], size[0], 3), 4 * index % 256, np.uint8), format='rgb24'
            )
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


def write_picture(path, size, degrees):
    """Write a red-left, blue-right video that a player is told to turn by this many degrees, clockwise."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[:, : size[0] // 2, 0] = picture[:, size[0] // 2 :, 2] = 255
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=10, options={'crf': '1'})
        stream.width, stream.height = size
        stream.pix_fmt = 'yuv420p'
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='rgb24')))
        container.mux(stream.encode())
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
