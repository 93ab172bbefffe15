"""From clips to steps and from steps to frames: features come to stand where their clips were."""

import numpy as np
import pytest
import torch

from twlv_mm.segmentation.alignment import at_times, count_steps, steps_to_frames, stretch
from twlv_mm.segmentation.transforms import AlignFeatures, PackSegmentation

FPS, ORIGIN, STEP = 30.0, 0.5, 0.25


def item(num_clips, num_frames, dims=3):
    """A video whose features are the centres of its clips in seconds, and whose labels are its frames' numbers."""
    times = (ORIGIN + STEP * np.arange(num_clips)).astype(np.float32)
    return dict(
        video_id='abc',
        feats=np.repeat(times[:, None], dims, axis=1),
        origin=ORIGIN,
        step=STEP,
        clip_seconds=1.0,
        duration=num_frames / FPS,
        fps=FPS,
        num_frames=num_frames,
        frame_labels=np.arange(num_frames),
    )


@pytest.mark.parametrize('subsampling', [1, 2, 4])
def test_by_time_every_step_has_the_features_of_its_own_moment(subsampling):
    results = AlignFeatures(subsampling=subsampling)(item(33, 301))  # clips to 9 s of 10.03 s
    frames = np.arange(301)[::subsampling]
    expected = np.clip((frames + 0.5) / FPS, ORIGIN, ORIGIN + 32 * STEP)  # the first and last clip's beyond them
    assert results['feats'].dtype == np.float32
    np.testing.assert_allclose(results['feats'], np.repeat(expected[:, None], 3, axis=1), atol=1e-5)
    assert results['subsampling'] == subsampling


def test_by_time_clips_stay_where_they_are_when_the_video_goes_on_after_them():
    short, long = (AlignFeatures()(item(33, frames))['feats'] for frames in (300, 600))
    np.testing.assert_array_equal(short, long[:300])


def test_stretch_is_that_of_the_published_code():
    feats = np.random.default_rng(0).standard_normal((7, 4), dtype=np.float32)
    results = AlignFeatures('stretch', 2)(dict(item(7, 25), feats=feats))
    assert results['feats'].shape == (13, 4)
    # Step t is where the clip (t + 0.5) * 7 / 13 - 0.5 would be, worked out without torch.
    places = np.clip((np.arange(13) + 0.5) * 7 / 13 - 0.5, 0, 6)
    expected = np.stack([np.interp(places, np.arange(7), column) for column in feats.T], axis=1)
    np.testing.assert_allclose(results['feats'], expected, atol=1e-5)


@pytest.mark.parametrize('alignment', ['time', 'stretch'])
def test_single_clip_is_that_of_every_step(alignment):
    results = AlignFeatures(alignment)(item(1, 9))
    np.testing.assert_array_equal(results['feats'], np.full((9, 3), 0.5, np.float32))


def test_interpolation_leaves_the_clips_themselves_and_the_file_of_features_as_they_are():
    feats = np.random.default_rng(0).standard_normal((5, 4), dtype=np.float32)
    kept = feats.copy()
    np.testing.assert_array_equal(at_times(feats, 1.0, 0.5, 1.0 + 0.5 * np.arange(5)), feats)
    at_times(feats, 1.0, 0.5, np.linspace(0, 4, 20))
    np.testing.assert_array_equal(stretch(feats, 5), feats)
    np.testing.assert_array_equal(feats, kept)


def test_frames_get_their_step_and_the_last_step_is_cut():
    assert steps_to_frames(np.array([3, 1, 2]), 2, 5).tolist() == [3, 3, 1, 1, 2]
    assert steps_to_frames(np.array([[3.0], [1.0]]), 3, 6)[:, 0].tolist() == [3, 3, 3, 1, 1, 1]
    for num_frames in range(1, 30):
        for subsampling in (1, 2, 3, 8):
            steps = np.arange(num_frames)[::subsampling]
            assert count_steps(num_frames, subsampling) == len(steps)
            frames = steps_to_frames(steps, subsampling, num_frames)
            assert (frames == np.arange(num_frames) // subsampling * subsampling).all()
    with pytest.raises(ValueError, match='3 steps for 7 frames at subsampling=2, which makes 4'):
        steps_to_frames(np.arange(3), 2, 7)


def test_packed_video_has_features_by_step_and_labels_by_frame_and_step():
    packed = PackSegmentation()(AlignFeatures(subsampling=2)(item(33, 301)))
    inputs, sample = packed['inputs'], packed['data_samples']
    assert (inputs.shape, inputs.dtype, inputs.is_contiguous()) == ((3, 151), torch.float32, True)
    assert sample.frame_labels.dtype == sample.step_labels.dtype == torch.int64
    assert sample.frame_labels.tolist() == list(range(301))
    assert sample.step_labels.tolist() == list(range(0, 301, 2))
    assert sample.metainfo == dict(video_id='abc', duration=301 / 30, fps=30.0, num_frames=301, subsampling=2)


def test_unknown_alignment_and_subsampling_are_refused():
    with pytest.raises(ValueError, match="unknown alignment 'nearest'; choose from 'time', 'stretch'"):
        AlignFeatures('nearest')
    with pytest.raises(ValueError, match='subsampling is 0; it must be 1 or more'):
        AlignFeatures(subsampling=0)
