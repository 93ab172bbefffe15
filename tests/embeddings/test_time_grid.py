"""The grid of time of a video's clips, and what has none."""

import numpy as np
import pytest

from twlv_mm.embeddings import EmbeddingFolder, clip_settings, grid_clips, grid_end, video_grid

from .saved import CLIP, DIMS, STRIDE, save, save_published


def grid_of(folder, video_id='a', *arguments):
    return video_grid(EmbeddingFolder(folder), video_id, *arguments)


@pytest.mark.parametrize('published', [False, True])
def test_grid_is_where_the_clips_are_and_ends_with_the_last_one(tmp_path, published):
    (save_published if published else save)(tmp_path, 'a', 10.1)
    grid = grid_of(tmp_path, 'a', *((CLIP, STRIDE) if published else ()))
    assert (grid['num_clips'], grid['clip_seconds']) == (39, CLIP)  # floor((10.1 - 0.5) / 0.25) + 1
    feats = grid_clips(EmbeddingFolder(tmp_path), 'a', grid['num_clips'])
    np.testing.assert_allclose(grid['origin'] + np.arange(39) * grid['step'], feats[:, 0], atol=1e-5)
    assert grid_end(grid) == pytest.approx(10)


def test_published_layout_without_times_needs_the_two_lengths(tmp_path):
    save_published(tmp_path, 'a', 10)
    with pytest.raises(ValueError, match='a in .* has no clip times: set clip_seconds and stride_sec'):
        grid_of(tmp_path, 'a', CLIP)


@pytest.mark.parametrize(('argument', 'value', 'found'), [('clip_seconds', 2.0, 0.5), ('stride_seconds', 0.125, 0.25)])
def test_arguments_that_contradict_the_times_are_refused(tmp_path, argument, value, found):
    save(tmp_path, 'a', 10)
    with pytest.raises(ValueError, match=rf'{argument}={value}, but a in .* has {found}'):
        video_grid(EmbeddingFolder(tmp_path), 'a', **{argument: value})


def test_last_clip_that_was_moved_is_left_out_and_irregular_ones_are_refused(tmp_path):
    starts = np.array([0, 1, 2, 3, 3.4])
    save(tmp_path, 'a', 4.4, times=np.stack([starts, starts + 1], axis=1))
    grid = grid_of(tmp_path)
    assert (grid['num_clips'], grid['step']) == (4, 1)
    np.testing.assert_allclose(grid_clips(EmbeddingFolder(tmp_path), 'a', 4)[:, 0], [0.5, 1.5, 2.5, 3.5])
    starts = np.array([0, 1, 2.1, 3.1, 4.1])
    save(tmp_path, 'a', 5.1, times=np.stack([starts, starts + 1], axis=1))
    with pytest.raises(ValueError, match='a in .* has clips at irregular distances'):
        grid_of(tmp_path)


def test_single_clip_has_the_step_of_its_settings_and_the_centre_of_a_shorter_video(tmp_path):
    save(tmp_path, 'a', 0.6, times=[[0, 0.5]], stride_seconds=STRIDE)
    assert grid_of(tmp_path, 'a', None, None, 0.6) == dict(origin=0.25, step=STRIDE, clip_seconds=CLIP, num_clips=1)
    save_published(tmp_path, 'b', 0.3)
    grid = grid_of(tmp_path, 'b', CLIP, STRIDE, 0.3)
    assert grid == dict(origin=0.15, step=STRIDE, clip_seconds=CLIP, num_clips=1)


def test_vectors_that_fit_no_grid_are_refused_with_their_video(tmp_path):
    save(tmp_path, 'a', 10)
    np.save(tmp_path / 'a_c.npy', np.full((39, DIMS), np.nan, np.float32))
    with pytest.raises(ValueError, match='a in .* contains NaN or Inf'):
        grid_clips(EmbeddingFolder(tmp_path), 'a', 39)
    np.save(tmp_path / 'a_c.npy', np.zeros((5, DIMS), np.float32))
    with pytest.raises(ValueError, match='a in .* has 5 vectors but times of 39 clips'):
        grid_of(tmp_path)
    (tmp_path / 'a_c.npy').write_bytes(b'half a file')
    with pytest.raises(ValueError, match='not a valid embedding file'):
        grid_of(tmp_path)
    save(tmp_path, 'a', 10, times=[[2, 2]])
    with pytest.raises(ValueError, match='a in .* has clips that do not end after they start'):
        grid_of(tmp_path)


def test_vectors_of_whole_videos_are_refused(tmp_path):
    save(tmp_path, 'a', 10, times=[[0, 10]])
    info = dict(EmbeddingFolder(tmp_path).info('a'), sampling='uniform')
    with pytest.raises(ValueError, match='one vector per video .* extract with --sampling multi-clip'):
        clip_settings(tmp_path, {'a': info})
