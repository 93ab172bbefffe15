"""Pictures come upright and in the right colours, whatever the file keeps."""

import struct

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from twlv_mm.video import open_video

from .conftest import encode, write_picture

ONE = 1 << 16
# Display matrix (a, b, c, d): x' = a x + c y, y' = b x + d y.
MATRICES = {
    (1, 0, 0, 1): lambda picture: picture,
    (-1, 0, 0, 1): lambda picture: picture[:, ::-1],
    (1, 0, 0, -1): lambda picture: picture[::-1],
    (-1, 0, 0, -1): lambda picture: picture[::-1, ::-1],
    (0, 1, 1, 0): lambda picture: picture.swapaxes(0, 1),
    (0, 1, -1, 0): lambda picture: np.rot90(picture, -1),
    (0, -1, 1, 0): lambda picture: np.rot90(picture),
    (0, -1, -1, 0): lambda picture: np.rot90(picture, 2).swapaxes(0, 1),
}


@pytest.mark.parametrize('matrix', MATRICES)
def test_pictures_are_turned_and_mirrored_as_the_file_says(tmp_path, matrix):
    path = tmp_path / 'phone.mp4'
    write_picture(path, (64, 48), 90)
    content = bytearray(path.read_bytes())
    start = content.find(b'tkhd') + 4 + 40

    def read(a, b, c, d):
        content[start : start + 36] = struct.pack('>9i', a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
        path.write_bytes(content)
        with open_video(path) as reader:
            return reader.read([0])[0]

    plain = read(1, 0, 0, 1)
    # Red left, blue right: symmetric from top to bottom, so mark the top.
    assert plain.shape == (48, 64, 3)
    np.testing.assert_array_equal(read(*matrix), MATRICES[matrix](plain))


@pytest.mark.parametrize('layout', ['yuv420p', 'yuvj420p', 'yuv444p', 'yuv420p10le', 'gray', 'bgra'])
def test_colours_are_right_whatever_the_pixel_format(tmp_path, layout):
    codec = dict(gray='ffv1', bgra='ffv1', yuv420p10le='ffv1').get(layout, 'libx264')
    path = tmp_path / 'a.mkv'
    picture = np.full((64, 64, 3), 40, np.uint8)
    picture[:, 32:] = (200, 200, 200) if layout == 'gray' else (240, 0, 0)
    limits = 2 if layout == 'yuvj420p' else None
    frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
    frames = [VideoReformatter().reformat(frame, format=layout, dst_color_range=limits) for _ in range(3)]
    encode(path, frames, codec, layout=layout, **dict(crf='1') if codec == 'libx264' else {})
    with open_video(path) as reader:
        read = reader.read([1])[0].astype(int)
    assert np.abs(read[:, 4:28] - picture[:, 4:28]).max() < 32
    assert np.abs(read[:, 36:60] - picture[:, 36:60]).max() < 32
    if layout == 'yuvj420p':  # a range taken for the other moves black by 16
        assert np.abs(read[:, 4:28] - 40).max() < 6


@pytest.mark.parametrize(('suffix', 'codec'), [('avi', 'rawvideo'), ('avi', 'png'), ('gif', 'gif')])
def test_palettes_are_right_wherever_reading_begins(tmp_path, suffix, codec):
    places, palette = np.zeros((64, 64), np.uint8), np.full((256, 4), 255, np.uint8)
    places[:, 32:] = 1
    palette[:2] = (255, 40, 40, 40), (255, 240, 0, 0)
    path = tmp_path / f'palette.{suffix}'
    frames = [av.VideoFrame.from_ndarray((places, palette), format='pal8') for _ in range(3)]
    encode(path, frames, codec, layout='pal8')
    for index in range(3):
        with open_video(path) as reader:
            (picture,) = reader.read([index])
        assert picture[5, [5, 50]].tolist() == [[40, 40, 40], [240, 0, 0]]


def test_a_size_that_changes_in_mid_stream_is_resized(tmp_path):
    path = tmp_path / 'two_sizes.ts'
    with path.open('wb') as joined:
        for width in (64, 128):
            part = tmp_path / f'{width}.ts'
            encode(part, [np.full((48, width, 3), width, np.uint8)] * 10, 'mpeg2video', rate=25)
            joined.write(part.read_bytes())
    with open_video(path) as reader:
        frames = reader.read(range(len(reader.frame_times)))
        assert frames.shape[1:] == (48, 64, 3)
        assert abs(int(frames[-1].mean()) - 128) < 8
