"""What no decoder may hand on as frames: files that are no videos, and damaged ones."""

import re

import numpy as np
import pytest

from twlv_mm.synthetic import write_video
from twlv_mm.video import Segment, VideoError, open_video

from .decoders import DECODERS
from .faults import NO_FILE, damage_packets, good, make_faults, packet_places, textured, write_predicted

# Wrong bytes within frames, which the other two decoders conceal.
SEEN_BY_AV_ONLY = ('garbage_in_frames_intra', 'garbage_in_frames_predicted')


@pytest.fixture(scope='module')
def faults(tmp_path_factory):
    return make_faults(tmp_path_factory.mktemp('faults'))


def read_all(path, decoder):
    """Read a video as the extractor does, 32 frames at a time."""
    with open_video(path, decoder) as reader:
        count = len(reader.frame_times)
        return np.concatenate([reader.read(range(i, min(i + 32, count))) for i in range(0, count, 32)])


@pytest.mark.parametrize('decoder', DECODERS)
def test_bad_files_raise_an_error_that_names_the_file(faults, decoder):
    silent = [] if decoder == 'av' else SEEN_BY_AV_ONLY
    for kind in faults.keys() - silent:
        error = FileNotFoundError if kind in NO_FILE else VideoError
        with pytest.raises(error, match=re.escape(str(faults[kind]))):
            read_all(faults[kind], decoder)


@pytest.mark.parametrize('decoder', DECODERS)
def test_sound_files_next_to_bad_ones_give_all_frames(tmp_path, decoder):
    for index, path in enumerate(good(tmp_path, 3)):
        expected = textured(8 + index, seed=index)
        frames = read_all(path, decoder)
        assert frames.shape == expected.shape
        assert np.abs(frames.astype(int) - expected).mean() < 25


@pytest.mark.parametrize('suffix', ['mp4', 'mkv', 'flv', 'ts'])
def test_predicted_frames_of_intact_files_are_not_reported_as_damage(tmp_path, suffix):
    path = tmp_path / f'sound.{suffix}'
    write_predicted(path, textured(20))
    assert len(read_all(path, 'av')) == 20


@pytest.mark.parametrize('codec', ['libx264', 'mpeg4'])
def test_pyav_reads_avi_files_whose_packets_have_no_time_stamps(tmp_path, codec):
    write_predicted(tmp_path / 'old.avi', textured(20), codec=codec)
    assert len(read_all(tmp_path / 'old.avi', 'av')) == 20


@pytest.fixture(scope='module')
def large_video(tmp_path_factory):
    path = tmp_path_factory.mktemp('large') / 'large.mp4'
    write_video(path, np.zeros((1, 4320, 8192, 3), np.uint8))
    return path


@pytest.mark.parametrize('decoder', DECODERS)
def test_large_frames_are_read(large_video, decoder):
    assert read_all(large_video, decoder).shape == (1, 4320, 8192, 3)


@pytest.mark.parametrize('decoder', DECODERS)
def test_a_hole_in_any_frame_is_noticed_on_opening(tmp_path, decoder):
    source, path = tmp_path / 'sound.mp4', tmp_path / 'hole.mp4'
    write_predicted(source, textured(20))
    places = packet_places(source)
    for number in range(len(places)):
        path.write_bytes(damage_packets(source, bytes, slice(number, number + 1), 0.5, 0.6))
        with pytest.raises(VideoError, match=r'hole\.mp4 is damaged at packet'):
            open_video(path, decoder)


def test_a_hole_in_a_segment_is_noticed_on_opening_and_one_after_it_is_not_looked_for(tmp_path):
    source, path = tmp_path / 'sound.mp4', tmp_path / 'hole.mp4'
    write_predicted(source, textured(20))  # ten frames a second, one of them a key frame
    for number in range(0, 20, 3):
        path.write_bytes(damage_packets(source, bytes, slice(number, number + 1), 0.5, 0.6))
        with pytest.raises(VideoError, match=r'hole\.mp4 is damaged at packet'):
            open_video(Segment(str(path), 0.5, 2.0))
    with open_video(Segment(str(path), 0.5, 1.0)) as reader:  # the last hole is behind it
        assert len(reader.read(range(5))) == 5


@pytest.mark.parametrize('decoder', DECODERS)
def test_a_file_that_ends_before_its_index_does_is_noticed_on_opening(faults, decoder):
    for kind in ('half_with_index', 'last_bytes_missing'):
        with pytest.raises(VideoError, match=rf'{kind}\.mp4 is cut short'):
            open_video(faults[kind], decoder)


def test_pyav_stops_at_a_damaged_frame_and_gives_those_before(tmp_path):
    source, path = tmp_path / 'sound.mp4', tmp_path / 'damaged.mp4'
    write_video(source, textured(20))
    path.write_bytes(damage_packets(source, np.random.default_rng(0).bytes, slice(7, None), 0.3, 0.6))
    with open_video(path, 'av') as reader:
        assert len(reader.read(range(7))) == 7
        with pytest.raises(VideoError, match=r'damaged\.mp4: frame \d+ is damaged'):
            reader.read([19])
