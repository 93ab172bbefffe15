"""When frames are on screen, where files do not say it, or say it wrongly."""

import warnings
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from twlv_mm.video import Segment, VideoError, frames_at, index_file, open_video, read_header
from twlv_mm.video.pyav_reader import PyAVReader

from .conftest import encode, write_numbered
from .faults import textured

BITS = 6


def write(path, count, codec='libx264', rate=25, options=None, form=None):
    """Write frames whose stripes are the bits of their index."""
    pictures = np.full((count, 48, 64, 3), 16, np.uint8)
    for index, picture in enumerate(pictures):
        for bit in range(BITS):
            picture[:, 10 * bit : 10 * bit + 10] += np.uint8(200 * (index >> bit & 1))
    return encode(path, pictures, codec, rate, form=form, **options or {})


def index_of(frame):
    """Index of a frame, by its stripes."""
    return sum(int(frame[:, 10 * bit + 3 : 10 * bit + 7].mean() > 116) << bit for bit in range(BITS))


B_FRAMES = dict(
    libx264={'crf': '1', 'bf': '3', 'b-adapt': '0', 'g': '20'}, mpeg4={'qscale': '1', 'bf': '2'}, mpeg2video={'bf': '2'}
)


@pytest.mark.parametrize(
    ('codec', 'suffix', 'form'),
    [
        ('libx264', 'avi', None),
        ('mpeg4', 'avi', None),
        ('mpeg2video', 'mpg', None),
        ('libx264', 'h264', 'h264'),
        ('libx264', 'ts', None),
        ('libx264', 'mkv', None),
    ],
)
def test_frames_and_times_are_right_with_and_without_time_stamps(tmp_path, codec, suffix, form):
    path = write(tmp_path / f'b.{suffix}', 60, codec, options=B_FRAMES[codec], form=form)
    with open_video(path) as reader:
        np.testing.assert_allclose(reader.frame_times[:, 0], np.arange(60) / 25, atol=2e-3)
        assert [index_of(frame) for frame in reader.frames(range(60))] == list(range(60))
        for index in (41, 7, 59, 20):
            assert index_of(reader.read([index])[0]) == index
    with open_video(Segment(path, 1.2, 1.4)) as reader:
        assert [index_of(frame) for frame in reader.frames(range(5))] == list(range(30, 35))


def test_joined_transport_streams_go_on(tmp_path):
    parts = [write(tmp_path / f'{number}.ts', 30, options=dict(B_FRAMES['libx264'])) for number in range(2)]
    path = tmp_path / 'joined.ts'
    path.write_bytes(b''.join(Path(part).read_bytes() for part in parts))
    with open_video(path) as reader:
        np.testing.assert_allclose(reader.frame_times[:, 0], np.arange(60) / 25, atol=1e-3)
        assert [index_of(frame) for frame in reader.frames(range(60))] == [*range(30)] * 2


def test_a_clock_that_wraps_goes_on(tmp_path):
    plain, wrapped = write(tmp_path / 'plain.ts', 30, options=B_FRAMES['libx264']), str(tmp_path / 'wrapped.ts')
    with av.open(plain) as source, av.open(wrapped, 'w', options={'mpegts_copyts': '1'}) as container:
        stream = source.streams.video[0]
        copy = container.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size:
                shift = 2**33 - 54_000  # the clock has 33 bits; 0.6 s
                packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, copy
                container.mux(packet)
    with av.open(wrapped) as container:
        stamps = [packet.pts for packet in container.demux(video=0) if packet.size]
        assert min(stamps) < 0 < max(stamps)  # FFmpeg counts back from the wrap
    with open_video(wrapped) as reader:
        np.testing.assert_allclose(reader.frame_times[:, 0], np.arange(30) / 25, atol=1e-3)
        assert [index_of(frame) for frame in reader.frames(range(30))] == list(range(30))
        assert index_of(reader.read([22])[0]) == 22


@pytest.mark.parametrize(('suffix', 'codec'), [('mp3', 'libmp3lame'), ('mp4', 'aac')])
def test_sound_file_with_a_cover_picture_is_not_a_video(tmp_path, suffix, codec):
    path = tmp_path / f'song.{suffix}'
    with av.open(str(path), 'w') as container:
        sound, cover = container.add_stream(codec, rate=44100), container.add_stream('png', rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, 'rgb24'
        cover.disposition = Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format='rgb24')))
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), format='s16', layout='stereo')
        samples.sample_rate = 44100
        container.mux(sound.encode(samples))
        container.mux([*cover.encode(), *sound.encode()])
    with pytest.raises(VideoError, match=rf'song\.{suffix} has no video stream'):
        open_video(path)


def test_a_place_that_a_container_does_not_lead_to_is_decoded_from_the_start(tmp_path, monkeypatch):
    path = write(tmp_path / 'lost.mkv', 60, options=B_FRAMES['libx264'])
    reader = PyAVReader(path)
    monkeypatch.setattr(reader, '_packets_from', lambda start: iter(()))
    reader.read([0])
    assert index_of(reader.read([55])[0]) == 55
    assert index_of(reader.read([3])[0]) == 3


def test_a_clock_that_cannot_be_is_refused(tmp_path):
    path = tmp_path / 'slow.mkv'
    write_numbered(path, [0.0, 0.1, 90_000.0])
    with pytest.raises(VideoError, match=r'slow\.mkv has 3 frames in 9\d+ s by its time stamps, which cannot be'):
        index_file(path)


def test_names_that_look_like_addresses_are_files(tmp_path):
    path = write(tmp_path / '12:30.mp4', 5)
    assert len(index_file(path).frame_times) == 5
    assert read_header(path) == (25, 5)


def test_members_of_archives_are_read_from_their_bytes(tmp_path):
    path = write(tmp_path / 'member.mp4', 30)
    with open(path, 'rb') as file, open_video('tar://shard.tar/member.mp4', content=file.read()) as reader:
        assert index_of(reader.read([20])[0]) == 20


@pytest.mark.parametrize('suffix', ['ts', 'flv', 'avi'])
def test_decord_is_refused_files_that_it_gets_wrong(tmp_path, suffix):
    pytest.importorskip('decord')
    path = write(tmp_path / f'wrong.{suffix}', 10)
    with pytest.raises(VideoError, match=rf"wrong\.{suffix} is not for decord.*: use decoder='av'"):
        open_video(path, 'decord')


def test_errors_of_whatever_class_are_the_videos(tmp_path, monkeypatch):
    path = write(tmp_path / 'odd.mp4', 10)

    class Odd(Exception):
        pass

    def fail(*_):
        raise Odd('out of range\nStack trace:')

    with open_video(path) as reader:
        monkeypatch.setattr(reader, '_picture', fail)
        with pytest.raises(VideoError, match=r'odd\.mp4 cannot be decoded: out of range$'):
            reader.read([0])


def copied(source, path, stamp):
    """Copy a video's packets with other time stamps: ``stamp`` maps their numbers to (PTS, DTS)."""
    with av.open(str(source)) as file, av.open(str(path), 'w') as container:
        stream = file.streams.video[0]
        copy = container.add_stream_from_template(stream)
        copy.time_base = Fraction(1, 1000)
        for number, packet in enumerate(packet for packet in file.demux(stream) if packet.size):
            packet.pts, packet.dts = stamp(number)
            packet.time_base, packet.stream = Fraction(1, 1000), copy
            container.mux(packet)
    return str(path)


@pytest.mark.parametrize(('codec', 'suffix'), [('mpeg4', 'mp4'), ('mpeg2video', 'mkv'), ('libx264', 'mp4')])
def test_decoding_times_in_the_place_of_presentation_times_are_noticed(tmp_path, codec, suffix):
    source = write(tmp_path / 'source.mp4', 60, codec, options=B_FRAMES[codec])
    path = copied(source, tmp_path / f'copied.{suffix}', lambda number: (40 * number, 40 * number))
    for index in range(60):
        with open_video(path) as reader:
            assert index_of(reader.read([index])[0]) == index
    np.testing.assert_allclose(reader.frame_times[:, 0], np.arange(60) / 25, atol=2e-3)
    with open_video(Segment(path, 1.2, 1.4)) as reader:
        assert [index_of(frame) for frame in reader.frames(range(5))] == list(range(30, 35))
    pytest.importorskip('decord')
    with pytest.raises(VideoError, match="use decoder='av'"):
        open_video(path, 'decord')


def test_packets_that_are_wrongly_marked_as_key_frames_are_not_started_from(tmp_path):
    path = write(tmp_path / 'marked.avi', 40, 'h263p', options={'qscale': '1', 'g': '20'})
    for index in (39, 7, 21):
        with open_video(path) as reader:
            assert index_of(reader.read([index])[0]) == index


def test_frames_with_the_same_time_stamp_do_not_change_the_times_of_others(tmp_path):
    times = np.array([0, 100, 200, 200, 1200, 2200, 2240, 2280])
    path = tmp_path / 'same.mkv'
    source = write(tmp_path / 'source.mp4', 8, options={'bf': '0'})
    copied(source, path, lambda number: (times[number].item(), times[number].item()))
    with open_video(path) as reader:
        np.testing.assert_allclose(reader.frame_times[:, 0], times / 1000, atol=1e-6)
        assert [index_of(frame) for frame in reader.frames(range(8))] == list(range(8))


@pytest.mark.parametrize(('codec', 'form'), [('libx264', 'h264'), ('mpeg2video', 'mpeg2video')])
def test_raw_streams_have_the_rate_of_their_codec(tmp_path, codec, form):
    path = write(tmp_path / 'raw.video', 30, codec, rate=50, options=B_FRAMES[codec], form=form)
    np.testing.assert_allclose(index_file(path).frame_times[:, 1], np.arange(1, 31) / 50)


def test_a_raw_stream_without_a_rate_says_which_one_is_assumed(tmp_path):
    path = tmp_path / 'raw.mjpeg'
    encode(path, [av.VideoFrame(64, 48, 'yuvj420p') for _ in range(3)], 'mjpeg', 50, 'yuvj420p', form='mjpeg')
    with pytest.warns(UserWarning, match=r'raw\.mjpeg states no frame rate: 25 frames per second are assumed'):
        index_file(path)


def test_part_of_a_file_that_begins_with_frames_of_the_key_frame_before_is_read_alone(tmp_path):
    path = write(tmp_path / 'open.mkv', 60, 'mpeg2video', options=B_FRAMES['mpeg2video'])
    with open_video(Segment(path, 1.2, 1.4)) as reader:
        assert [index_of(frame) for frame in reader.frames(range(5))] == list(range(30, 35))
        assert reader._index.is_part


@pytest.mark.parametrize('missing', [10, 2000])
def test_a_matroska_file_that_is_cut_short_is_noticed_on_opening(tmp_path, missing):
    path = Path(write(tmp_path / 'cut.mkv', 60, options={'crf': '1'}))
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(VideoError, match=r'cut\.mkv is cut short: it has \d+ bytes'):
        open_video(path)


def test_a_matroska_file_that_was_streamed_is_not_cut_short(tmp_path):
    path = tmp_path / 'live.webm'
    with path.open('wb') as file:
        encode(Unseekable(file), [av.VideoFrame(64, 48, 'yuv420p') for _ in range(10)], rate=25, form='matroska')
    assert len(index_file(path).frame_times) == 10


class Unseekable:
    def __init__(self, file):
        self.write = file.write


def test_frames_at_high_rates_are_those_on_screen(tmp_path):
    path = write(tmp_path / 'fast.mp4', 60, rate=1000)
    middles = np.arange(60) / 1000 + 0.0005
    with open_video(path) as reader:
        assert frames_at(reader.frame_times, middles).tolist() == list(range(60))
    with open_video(Segment(path, 0.02, 0.03)) as reader:
        assert [index_of(frame) for frame in reader.frames(range(10))] == list(range(20, 30))
        assert len(reader.frame_times) == 10


def test_list_of_files_is_not_a_video(tmp_path):
    path = tmp_path / 'list.mp4'
    path.write_text('ffconcat version 1.0\nfile list.mp4\n')
    with pytest.raises(VideoError, match=r'list\.mp4 is a list of files for FFmpeg, not a video'):
        open_video(path)


@pytest.mark.parametrize('missing', [2, 100, 1000])
def test_a_gif_that_is_cut_short_is_noticed_on_opening(tmp_path, missing):
    path = tmp_path / 'cut.gif'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('gif', rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'gray'
        for picture in textured(5)[..., 0]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format='gray')))
        container.mux(stream.encode())
    whole = path.read_bytes()
    path.write_bytes(whole + b'\r\n')
    assert len(index_file(path).frame_times) == 5
    path.write_bytes(whole[:-missing])
    with pytest.raises(VideoError, match=r'cut\.gif is damaged at packet \d, .*it is cut short'):
        index_file(path)


def test_a_segment_that_ends_after_its_video_is_warned_of(tmp_path):
    path = write(tmp_path / 'short.mp4', 30, options=B_FRAMES['libx264'])
    with pytest.warns(UserWarning, match=r'short\.mp4 lasts 1\.200 s, but a segment of it ends later'):
        open_video(Segment(path, 0.5, 1.8))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for end in (0.8, 1.6):
            open_video(Segment(path, 0.5, end))
