"""Which frames make a clip, on real time stamps."""

import numpy as np
import pytest

from twlv_mm.video import clip_windows, frames_of_windows, open_video, sample_windows


def constant_times(count, fps):
    edges = np.arange(count + 1) / fps
    return np.stack([edges[:-1], edges[1:]], axis=1)


def test_uniform_embedding_takes_frames_at_a_uniform_stride_over_the_whole_video():
    times = constant_times(300, 30)
    indices = frames_of_windows(times, sample_windows(times, 'uniform'), 16)
    assert indices.shape == (1, 16)
    assert np.ptp(np.diff(indices[0])) <= 1  # 300 / 16 is no whole number
    assert indices[0, 0] == 9  # the middle of the first sixteenth: 9.4 frames
    assert indices[0, -1] == 290


def test_multi_clip_embedding_divides_the_video_into_clips_of_t_seconds():
    times = constant_times(250, 25)
    windows = sample_windows(times, 'multi-clip', 2.0)
    np.testing.assert_allclose(windows, [[0, 2], [2, 4], [4, 6], [6, 8], [8, 10]])
    indices = frames_of_windows(times, windows, 8)
    assert indices.shape == (5, 8)
    assert (indices // 50 == np.arange(5)[:, None]).all()  # every frame from its own two seconds


@pytest.mark.parametrize(
    ('duration', 'clips'), [(169.79, 1355), (166.48, 1328), (101.38, 808), (60.65, 482), (179.17, 1430)]
)
def test_number_of_dense_clips_is_that_of_the_published_layout(duration, clips):
    assert len(clip_windows(duration, 0.5, 0.125)) == clips


def test_tail_shorter_than_a_clip_makes_no_clip_and_a_short_video_is_one():
    assert clip_windows(9.7, 2.0)[-1].tolist() == [6.0, 8.0]
    assert clip_windows(1.3, 2.0).tolist() == [[0.0, 1.3]]
    assert clip_windows(2.0, 2.0).tolist() == [[0.0, 2.0]]
    # A container that rounds its last time stamp down does not lose a clip.
    assert len(clip_windows(9.9995, 2.0)) == 5


def test_frames_follow_the_time_stamps_not_the_frame_numbers(variable_video):
    with open_video(variable_video) as reader:
        times = reader.frame_times
    windows = sample_windows(times, 'multi-clip', 1.0)
    indices = frames_of_windows(times, windows, 5)
    assert indices.tolist() == [[1, 3, 5, 7, 9], [14, 22, 30, 38, 46]]


def test_one_frame_is_repeated():
    times = np.array([[0.0, 0.04]])
    assert frames_of_windows(times, sample_windows(times, 'multi-clip', 2.0), 16).tolist() == [[0] * 16]


def test_fewer_frames_than_asked_for_are_repeated_in_order():
    times = constant_times(10, 10)
    assert frames_of_windows(times, clip_windows(1.0, 0.2), 4)[1].tolist() == [2, 2, 3, 3]


def test_rounded_time_stamps_give_the_same_frames():
    exact = constant_times(32, 16)  # the middles of 16 parts of a second are where frames start
    rounded = exact + np.random.default_rng(0).uniform(-2e-4, 2e-4, exact.shape)  # float32 after an hour
    windows = clip_windows(2.0, 0.5, 0.25)
    assert (frames_of_windows(rounded, windows, 4) == frames_of_windows(exact, windows, 4)).all()


@pytest.mark.parametrize('lengths', [(0, 1), (-1, None), (2, 0), (float('nan'), None), (2, float('nan'))])
def test_lengths_that_are_not_positive_are_refused(lengths):
    with pytest.raises(ValueError, match='must be positive'):
        clip_windows(10.0, *lengths)


def test_unknown_sampling_is_refused():
    with pytest.raises(ValueError, match="'uniform' or 'multi-clip'"):
        sample_windows(constant_times(10, 10), 'dense')
