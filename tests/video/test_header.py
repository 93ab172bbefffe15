"""How long a file is and how many frames a second it has, told without going through it."""

import numpy as np
import pytest

from tests.video.conftest import write_numbered
from tests.video.faults import textured, write_predicted
from twlv_mm.video import VideoError, read_header


@pytest.mark.parametrize('extension', ['mp4', 'mkv', 'ts'])
def test_rate_and_length_of_containers_that_count_frames_and_that_do_not(tmp_path, extension):
    path = write_numbered(tmp_path / f'film.{extension}', np.arange(75) / 25, rate=25)
    assert read_header(path) == (25, 75)


def test_length_of_a_matroska_file_that_starts_late_is_that_of_its_frames(tmp_path):
    path = write_numbered(tmp_path / 'late.mkv', 3600 + np.arange(75) / 25, rate=25)
    assert read_header(path) == (25, 75)


@pytest.mark.parametrize('content', [b'', b'no video'])
def test_what_is_no_video_is_named(tmp_path, content):
    (tmp_path / 'x.mp4').write_bytes(content)
    with pytest.raises(VideoError, match=r'x\.mp4 cannot be decoded'):
        read_header(tmp_path / 'x.mp4')
    with pytest.raises(FileNotFoundError, match=r'no video file at .*y\.mp4'):
        read_header(tmp_path / 'y.mp4')


def test_a_file_that_ends_before_its_index_does_is_named(tmp_path):
    path = tmp_path / 'x.mp4'
    write_predicted(path, textured(30), index_first=True)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(VideoError, match=r'x\.mp4 is cut short'):
        read_header(path)
