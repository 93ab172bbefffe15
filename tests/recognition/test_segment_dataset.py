"""Segments of long videos: the dataset, the sampling by real time stamps, and seeking."""

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from tests.video.conftest import grey_of, write_numbered
from twlv_mm.recognition.segment_dataset import SegmentSample
from twlv_mm.registry import DATASETS
from twlv_mm.synthetic import item_rng, render_clip, write_video
from twlv_mm.video import DecodeVideo, OpenVideo, Segment, VideoError, frames_of_windows, open_video


@pytest.fixture
def variable_video(tmp_path):
    """Two seconds at 10 frames a second, then one at 40."""
    times = np.concatenate([np.arange(20) / 10, 2 + np.arange(40) / 40])
    return write_numbered(tmp_path / 'variable.mp4', times)


def frames(path, instants):
    return [grey_of(image) for image in DecodeVideo()(dict(filename=path, instants=np.array(instants)))['imgs']]


def test_frames_are_those_on_screen_at_the_instants(variable_video):
    assert frames(variable_video, [0.05, 0.1, 1.95, 2.0, 2.51, 2.99]) == [0, 1, 19, 20, 40, 59]
    assert frames(variable_video, [2.51, 0.05, 2.51]) == [40, 0, 40]  # in any order


@pytest.mark.parametrize(('start', 'end'), [(0.0, 3.0), (0.32, 1.1), (1.7, 2.6), (2.4, 2.45)])
def test_segment_shows_the_frames_that_the_readers_take_from_the_same_window(variable_video, start, end):
    results = SegmentSample(num_frames=8, clip_seconds=0.5, num_clips=3, test_mode=True)(dict(start=start, end=end))
    with open_video(variable_video) as reader:
        indices = frames_of_windows(reader.frame_times, results['clip_times'], 8)
    assert frames(variable_video, results['instants']) == indices.reshape(-1).tolist()


def test_clips_of_an_opened_video_are_those_of_the_segment_that_is_all_of_it(variable_video):
    sample = SegmentSample(num_frames=8, clip_seconds=0.5, num_clips=3, test_mode=True)
    whole = Compose([OpenVideo(), sample, DecodeVideo()])(dict(filename=variable_video, start_index=0))
    segment = Compose([sample, DecodeVideo()])(dict(filename=variable_video, start=0.0, end=3.0))
    assert [grey_of(image) for image in whole['imgs']] == [grey_of(image) for image in segment['imgs']]


@pytest.mark.parametrize(('start', 'end'), [(0.0, 3.0), (0.32, 1.1), (1.7, 2.6), (2.4, 2.45), (2.5, 9.0)])
def test_reader_of_a_segment_has_its_frames_and_their_times(variable_video, start, end):
    with open_video(variable_video) as whole, open_video(Segment(variable_video, start, end)) as reader:
        shown = (whole.frame_times[:, 1] > start + 1e-3) & (whole.frame_times[:, 0] < end - 1e-3)
        expected = np.clip(whole.frame_times[shown] - start, 0, end - start)
        np.testing.assert_allclose(reader.frame_times, expected, atol=1e-3)
        assert [grey_of(picture) for picture in reader.read(range(len(expected)))] == np.flatnonzero(shown).tolist()
        assert grey_of(reader.read([0])[0]) == shown.argmax()  # back to where it began


def test_segment_after_the_end_or_for_another_decoder_is_refused(variable_video):
    with pytest.raises(VideoError, match=r'variable\.mp4 ends before 5\.000 s'):
        open_video(Segment(variable_video, 5.0, 6.0))
    with pytest.raises(ValueError, match="'decord' does not read segments"):
        open_video(Segment(variable_video, 0.0, 1.0), 'decord')
    with pytest.raises(FileNotFoundError, match=r'no video file at .*none\.mp4'):
        open_video(Segment(f'{variable_video}/none.mp4', 0.0, 1.0))


def test_clips_of_a_test_go_from_the_start_of_the_segment_to_its_end():
    def clip_times(num_clips, start=10, end=16):
        sample = SegmentSample(clip_seconds=2, num_clips=num_clips, test_mode=True)
        return sample(dict(start=start, end=end))['clip_times'].tolist()

    assert clip_times(3) == [[10, 12], [12, 14], [14, 16]]
    assert clip_times(1) == [[12, 14]]
    assert clip_times(2, end=11.5) == [[10, 11.5]] * 2  # a short segment is the clip


@pytest.mark.parametrize('num_clips', [1, 2, 5])
def test_training_clips_are_random_in_order_and_within_the_segment(num_clips):
    np.random.seed(0)
    sample = SegmentSample(num_frames=4, clip_seconds=2, num_clips=num_clips)
    drawn = np.stack([sample(dict(start=100.0, end=106.0))['clip_times'] for _ in range(200)])
    assert drawn.min() >= 100
    assert drawn.max() <= 106
    np.testing.assert_allclose(drawn[..., 1] - drawn[..., 0], 2)
    assert (np.diff(drawn[..., 0], axis=1) >= 0).all()
    if num_clips < 5:
        assert np.ptp(drawn[:, 0, 0]) > 0.9 * (6 / num_clips - 2)


def test_segment_deep_in_a_video_is_found_without_decoding_what_is_before(tmp_path, monkeypatch):
    path = write_numbered(tmp_path / 'long.mp4', np.arange(2000) / 25, rate=25)
    instants = 60 + np.arange(4) / 25 + 0.02
    assert frames(path, instants) == [(1500 + i) % 64 for i in range(4)]

    from twlv_mm.video.pyav_reader import PyAVReader

    decoded, in_turn = [], PyAVReader._in_turn

    def counted(reader, given):
        decoded.extend(given)
        return in_turn(reader, given)

    monkeypatch.setattr(PyAVReader, '_in_turn', counted)
    frames(path, instants)
    assert len(decoded) < 300  # a group of pictures of libx264 is 250 frames at most


def test_segment_is_found_in_a_container_without_an_index(tmp_path):
    path = write_numbered(tmp_path / 'recording.ts', np.arange(600) / 25, rate=25)
    assert frames(path, [0.02, 3.34, 3.38]) == [0, 83 % 64, 84 % 64]
    assert frames(path, [23.94, 23.98]) == [598 % 64, 599 % 64]


def test_segment_that_passes_the_end_repeats_the_last_frame_and_one_behind_it_is_an_error(variable_video):
    assert frames(variable_video, [2.99, 3.2, 3.5]) == [59, 59, 59]
    with pytest.raises(VideoError, match=r'variable.mp4 ends before 3.500 s'):
        frames(variable_video, [3.5, 3.6])


def test_broken_video_is_named(tmp_path):
    (tmp_path / 'x.mp4').write_bytes(b'no video')
    with pytest.raises(VideoError, match='x.mp4 cannot be decoded'):
        frames(str(tmp_path / 'x.mp4'), [0.0])


def test_dataset_and_pipeline_of_the_config_give_clips_of_the_segment(tmp_path):
    from pathlib import Path

    from mmengine.config import Config

    init_default_scope('mmaction')
    cfg = Config.fromfile(Path(__file__).resolve().parents[2] / 'configs/twlv/ek100_linear.py')
    (tmp_path / 'P01').mkdir()
    clip, *_ = render_clip(item_rng(0, 'test', 0), 'test', num_frames=40)
    write_video(tmp_path / 'P01/P01_01.MP4', clip, fps=8)
    (tmp_path / 'list.txt').write_text('P01/P01_01.MP4 1.000 4.500 5\nP01/P01_01.MP4 0.000 0.700 0\n')
    for loader, views in ((cfg.train_dataloader, 1), (cfg.val_dataloader, 1), (cfg.test_dataloader, 12)):
        dataset = loader.dataset.to_dict() | dict(ann_file=str(tmp_path / 'list.txt'))
        dataset = DATASETS.build(dataset | dict(data_prefix=dict(video=str(tmp_path))))
        for index, label in ((0, 5), (1, 0)):
            packed = dataset[index]
            assert packed['inputs'].shape == (views, 3, 16, 224, 224)
            assert packed['data_samples'].gt_label.item() == label


def test_missing_videos_are_found_before_training(tmp_path):
    init_default_scope('mmaction')
    (tmp_path / 'list.txt').write_text('a.mp4 0 1 0\na.mp4 1 2 0\nb.mp4 0 1 1\n')
    (tmp_path / 'b.mp4').touch()
    cfg = dict(type='twlv_mm.SegmentDataset', ann_file=str(tmp_path / 'list.txt'), pipeline=[])
    with pytest.raises(FileNotFoundError, match=r'1 of the files listed in .*list.txt do not exist: .*a.mp4'):
        DATASETS.build(cfg | dict(data_prefix=dict(video=str(tmp_path))))
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match='lists nothing'):
        DATASETS.build(cfg | dict(data_prefix=dict(video=str(tmp_path))))


@pytest.mark.parametrize('start', [0.0, 0.75])  # the first frame, and the last
def test_flipping_repeated_frames_flips_each_once(tmp_path, start):
    init_default_scope('mmaction')
    clip = np.zeros((4, 32, 32, 3), np.uint8)
    clip[:, :, 16:] = 255
    write_video(tmp_path / 'right.mp4', clip, fps=4)
    pipeline = Compose(
        [
            dict(type='twlv_mm.SegmentSample', num_frames=8),
            dict(type='twlv_mm.DecodeVideo'),
            dict(type='Flip', flip_ratio=1),
        ]
    )
    results = pipeline(dict(filename=str(tmp_path / 'right.mp4'), start=start, end=start + 0.2, modality='RGB'))
    assert all(image[:, :16].mean() > 200 and image[:, 16:].mean() < 50 for image in results['imgs'])
