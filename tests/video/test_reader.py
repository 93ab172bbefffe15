"""Every decoder gives the same frames and the real time stamps, and says what it cannot read."""

import os
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from twlv_mm.video import VideoError, open_video

from .conftest import grey_of, write_numbered, write_picture
from .decoders import DECODERS


@pytest.mark.parametrize('decoder', DECODERS)
def test_frames_and_time_stamps_are_the_files_own(variable_video, decoder):
    with open_video(variable_video, decoder) as reader:
        expected = np.concatenate([np.arange(10) / 10, 1 + np.arange(41) / 40])
        np.testing.assert_allclose(reader.frame_times[:, 0], expected[:-1], atol=1e-6)
        np.testing.assert_allclose(reader.frame_times[:, 1], expected[1:], atol=1e-6)
        frames = reader.read([49, 0, 12, 12])
        assert [grey_of(frame) for frame in frames] == [49, 0, 12, 12]
        assert frames.shape == (4, 48, 64, 3)
        assert frames.dtype == np.uint8
        assert reader.decoder.startswith(f'{decoder} ')


@pytest.mark.parametrize('decoder', DECODERS)
def test_frames_can_be_read_piece_by_piece_and_backwards(constant_video, decoder):
    with open_video(constant_video, decoder) as reader:
        pieces = [[0, 1], [3], [3, 4], [40, 41], [2], [49]]
        assert [[grey_of(frame) for frame in reader.read(piece)] for piece in pieces] == pieces


@pytest.mark.parametrize('decoder', DECODERS)
@pytest.mark.parametrize('size', [(64, 48), (340, 256), (322, 182)])
@pytest.mark.parametrize('degrees', [90, 180, 270])
def test_rotated_videos_come_upright(tmp_path, decoder, size, degrees):
    path = write_picture(tmp_path / 'phone.mp4', size, degrees)
    with open_video(path, decoder) as reader:
        frame = reader.read([1, 2])[1]
    assert frame.shape == ((*size, 3) if degrees != 180 else (size[1], size[0], 3))
    height, width = frame.shape[:2]
    # Where the left, red half goes when the picture is turned clockwise.
    red = {90: (height // 4, width // 2), 180: (height // 2, 3 * width // 4), 270: (3 * height // 4, width // 2)}
    y, x = red[degrees]
    assert frame[y, x, 0] > 200
    assert frame[y, x, 2] < 50
    assert frame[height - 1 - y, width - 1 - x, 2] > 200


@pytest.mark.parametrize('decoder', DECODERS)
def test_a_single_frame_is_a_video_with_a_length(tmp_path, decoder):
    with open_video(write_numbered(tmp_path / 'one.mp4', [0.0]), decoder) as reader:
        assert reader.frame_times.shape == (1, 2)
        assert 0 < reader.frame_times[0, 1] < 1
        assert reader.read([0]).shape == (1, 48, 64, 3)


@pytest.mark.parametrize('decoder', DECODERS)
def test_times_count_from_the_first_frame(tmp_path, decoder):
    path = write_numbered(tmp_path / 'late.mkv', 5 + np.arange(20) / 10)
    with open_video(path, decoder) as reader:
        np.testing.assert_allclose(reader.frame_times[:, 0], np.arange(20) / 10, atol=2e-3)


@pytest.mark.parametrize('decoder', DECODERS)
def test_frames_that_an_edit_list_hides_are_not_handed_out(tmp_path, decoder):
    path = write_numbered(tmp_path / 'edited.mp4', np.arange(-5, 15) / 10)
    if decoder == 'decord':
        with pytest.raises(VideoError, match=r"edited\.mp4 is not for decord.*use decoder='av'"):
            open_video(path, decoder)
        return
    with open_video(path, decoder) as reader:
        np.testing.assert_allclose(reader.frame_times[:, 0], np.arange(15) / 10, atol=1e-6)
        assert [grey_of(frame) for frame in reader.read(range(15))] == list(range(5, 20))


@pytest.mark.parametrize('decoder', DECODERS)
def test_what_cannot_be_read_is_named(tmp_path, constant_video, decoder):
    with pytest.raises(FileNotFoundError, match=r'no video file at .*none\.mp4'):
        open_video(tmp_path / 'none.mp4', decoder)
    (tmp_path / 'empty.mp4').touch()
    with pytest.raises(VideoError, match=r'empty\.mp4 is empty'):
        open_video(tmp_path / 'empty.mp4', decoder)
    (tmp_path / 'text.mp4').write_text('not a video' * 100)
    with pytest.raises(VideoError, match=r'text\.mp4 cannot be decoded'):
        open_video(tmp_path / 'text.mp4', decoder)
    with open(constant_video, 'rb') as file:
        (tmp_path / 'half.mp4').write_bytes(file.read()[:2000])
    with pytest.raises(VideoError, match=r'half\.mp4'):
        open_video(tmp_path / 'half.mp4', decoder)


@pytest.mark.parametrize('decoder', DECODERS)
def test_file_with_only_sound_is_not_a_video(tmp_path, decoder):
    with av.open(str(tmp_path / 'sound.mp4'), 'w') as container:
        stream = container.add_stream('aac', rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), format='fltp', layout='mono')
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match=r'sound\.mp4'):
        open_video(tmp_path / 'sound.mp4', decoder)


@pytest.mark.parametrize('decoder', DECODERS)
def test_a_frame_that_the_video_does_not_have_is_an_error(constant_video, decoder):
    with open_video(constant_video, decoder) as reader:
        for indices in ([49, 50], [-1]):
            with pytest.raises(IndexError, match=r'constant\.mp4 has frames 0 to 49'):
                reader.read(indices)


def test_error_about_an_unknown_decoder_lists_the_known_ones(constant_video):
    with pytest.raises(ValueError, match="unknown decoder 'opencv'; choose one of av, decord"):
        open_video(constant_video, 'opencv')


def test_a_decoder_that_is_not_installed_says_what_to_install(constant_video, monkeypatch):
    monkeypatch.setitem(sys.modules, 'decord', None)
    with pytest.raises(ValueError, match="'decord' cannot be used .* pip install decord") as error:
        open_video(constant_video, 'decord')
    assert not isinstance(error.value, VideoError)


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='TWLV_SHARED names no folder of real videos')
@pytest.mark.parametrize('name', ['arm_wrestling', 'people', 'test'])
def test_decord_and_av_give_the_same_pixels_of_real_videos(name):
    path = Path(os.environ['TWLV_SHARED']) / f'videos/{name}.mp4'
    with open_video(path, 'decord') as one, open_video(path, 'av') as other:
        np.testing.assert_allclose(one.frame_times, other.frame_times, atol=1e-4)
        some = range(0, len(one.frame_times), 3)
        np.testing.assert_array_equal(one.read(some), other.read(some))
