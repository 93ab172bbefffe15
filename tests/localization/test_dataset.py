"""The dataset: the grid of time, what is left out and said, and what is refused."""

import json
import pickle

import numpy as np
import pytest
from mmengine.dataset import RepeatDataset

from twlv_mm.localization.dataset import LocalizationDataset
from twlv_mm.video.sampling import clip_windows

from ..embeddings.saved import CLIP, DIMS, STRIDE, save, save_published


def annotate(folder, videos, subset='train'):
    """An annotation file of video_id -> (duration, actions (label, start, end))."""
    content = {
        video_id: dict(
            duration=duration, subset=subset, annotations=[dict(label=a, segment=[s, e]) for a, s, e in actions]
        )
        for video_id, (duration, actions) in videos.items()
    }
    path = folder / 'actions.json'
    path.write_text(json.dumps(content))
    return path


def build(ann_file, folder, **options):
    return LocalizationDataset(ann_file, folder, classes=['serve', 'return'], **options)


@pytest.mark.parametrize('published', [False, True])
def test_grid_of_time_is_that_of_the_clips(tmp_path, published):
    (save_published if published else save)(tmp_path / 'train', 'a', 10.1)
    ann_file = annotate(tmp_path, {'a': (10.1, [('return', 2.0, 3.5)])})
    arguments = dict(clip_seconds=CLIP, stride_seconds=STRIDE) if published else {}
    item = build(ann_file, tmp_path / 'train', **arguments)[0]
    assert item['feats'].shape == (39, DIMS)  # floor((10.1 - 0.5) / 0.25) + 1
    assert item['feats'].dtype == np.float32
    grid_times = item['origin'] + np.arange(39) * item['step']
    np.testing.assert_allclose(grid_times, item['feats'][:, 0], atol=1e-5)  # features are their own times
    np.testing.assert_allclose(item['origin'] + item['segments'] * item['step'], [[2.0, 3.5]], atol=1e-5)
    assert (item['segments'].dtype, item['labels'].dtype) == (np.float32, np.int64)
    assert (item['video_id'], item['duration'], item['clip_seconds']) == ('a', 10.1, CLIP)
    assert item['labels'].tolist() == [1]


def test_video_shorter_than_a_clip_is_one_step_at_its_middle(tmp_path):
    save(tmp_path / 'train', 'timed', 0.3)
    save_published(tmp_path / 'train', 'untimed', 0.3)
    ann_file = annotate(tmp_path, {'timed': (0.3, [('serve', 0, 0.2)]), 'untimed': (0.3, [('serve', 0, 0.2)])})
    with pytest.raises(ValueError, match='different settings'):  # one names its encoder, the other does not
        build(ann_file, tmp_path / 'train', clip_seconds=CLIP, stride_seconds=STRIDE)
    for video_id in ('timed', 'untimed'):
        ann_file = annotate(tmp_path, {video_id: (0.3, [('serve', 0, 0.2)])})
        item = build(ann_file, tmp_path / 'train', clip_seconds=CLIP, stride_seconds=STRIDE)[0]
        assert len(item['feats']) == 1
        assert item['origin'] == pytest.approx(0.15)
        np.testing.assert_allclose(item['origin'] + item['segments'] * item['step'], [[0, 0.2]], atol=1e-6)


def test_training_leaves_out_and_cuts_what_the_features_do_not_show_and_says_so(tmp_path, logged):
    save(tmp_path / 'train', 'short', 20, times=clip_windows(10, CLIP, STRIDE))
    save(tmp_path / 'train', 'empty', 10)
    save(tmp_path / 'train', 'whole', 10.1)
    actions = [('serve', 2, 4), ('return', 9, 15), ('serve', 12, 13)]
    videos = dict(short=(20, actions), empty=(10, []), whole=(10.1, [('serve', 9.5, 10.1)]))
    ann_file = annotate(tmp_path, videos)
    dataset = build(ann_file, tmp_path / 'train')
    assert [item['video_id'] for item in dataset] == ['short', 'whole']
    short, whole = dataset
    assert short['labels'].tolist() == [0, 1]
    last = short['origin'] + short['segments'][1, 1] * short['step']
    assert last == pytest.approx(10 + STRIDE)
    end = whole['origin'] + whole['segments'][0, 1] * whole['step']
    assert end == pytest.approx(10.1)  # a tail that made no clip is no reason to cut
    text = '\n'.join(logged['warning'])
    assert '1 videos have embeddings of less than 90% of their duration' in text
    assert '1 videos (1 actions) have actions before or after their embeddings' in text
    assert '1 videos (1 actions) have actions that go on after the end' in text
    assert '1 videos have no action and are left out of training: empty' in text

    test = build(ann_file, tmp_path / 'train', test_mode=True)
    assert [len(item['labels']) for item in test] == [3, 0, 1]


def test_training_leaves_out_actions_before_the_features_and_says_so(tmp_path, logged):
    save(tmp_path / 'train', 'late', 20, times=clip_windows(10, CLIP, STRIDE) + 10)
    actions = [('serve', 1, 9.9), ('return', 8, 12), ('serve', 10, 10.2)]
    ann_file = annotate(tmp_path, dict(late=(20, actions)))
    (item,) = build(ann_file, tmp_path / 'train')
    assert item['labels'].tolist() == [1, 0]
    assert '1 videos (1 actions) have actions before or after their embeddings' in '\n'.join(logged['warning'])


def test_missing_embeddings_are_warned_of_with_their_share_of_the_actions(tmp_path, logged):
    save(tmp_path / 'val', 'a', 10)
    videos = dict(a=(10, [('serve', 1, 2)]), b=(10, [('serve', 1, 2), ('return', 4, 5), ('return', 7, 8)]))
    ann_file = annotate(tmp_path, videos)
    dataset = build(ann_file, tmp_path / 'val', test_mode=True)
    assert len(dataset) == 1
    assert '1 OF 2 VIDEOS' in logged['warning'][0]
    assert '3 of 4 actions (75.0 %). Each counts as missed. Missing: b.' in logged['warning'][0]
    ann_file = annotate(tmp_path, dict(b=(10, [('serve', 1, 2)])))
    with pytest.raises(FileNotFoundError, match=r"none of the 1 videos .* the former has 'a', the latter 'b'"):
        build(ann_file, tmp_path / 'val', test_mode=True)


def test_notes_of_the_annotations_and_durations_that_differ_are_logged(tmp_path, logged):
    save(tmp_path / 'train', 'a', 10)
    item = build(annotate(tmp_path, dict(a=(12, [('serve', 1, 2), ('serve', 1, 2)]))), tmp_path / 'train')[0]
    assert item['duration'] == 10  # the embeddings' video is the one that is there
    assert 'are repeated' in logged['warning'][0]
    assert '1 videos have another duration' in logged['warning'][1]
    logged['warning'].clear()
    build(annotate(tmp_path, dict(a=(10.4, [('serve', 1, 2)]))), tmp_path / 'train')
    assert logged['warning'] == []


def test_activitynet_ids_match_with_and_without_their_prefix(tmp_path):
    save(tmp_path / 'train', 'v_abc', 10)
    save(tmp_path / 'train', 'def', 10)
    ann_file = annotate(tmp_path, {'abc': (10, [('serve', 1, 2)]), 'v_def': (10, [('serve', 1, 2)])})
    assert [item['video_id'] for item in build(ann_file, tmp_path / 'train')] == ['abc', 'v_def']


def test_features_that_are_not_finite_are_refused_with_their_video(tmp_path):
    save(tmp_path / 'train', 'a', 10)
    feats = np.load(tmp_path / 'train/a_c.npy')
    feats[7, 1] = np.nan
    np.save(tmp_path / 'train/a_c.npy', feats)
    dataset = build(annotate(tmp_path, {'a': (10, [('serve', 1, 2)])}), tmp_path / 'train')
    with pytest.raises(ValueError, match='a in .*train contains NaN'):
        dataset[0]


def test_embeddings_that_do_not_belong_together_are_refused(tmp_path):
    save(tmp_path / 'train', 'a', 10)
    save(tmp_path / 'train', 'b', 10, pooling='mean')
    actions = [('serve', 1, 2)]
    with pytest.raises(ValueError, match='2 different settings: a and b differ in pooling'):
        build(annotate(tmp_path, dict(a=(10, actions), b=(10, actions))), tmp_path / 'train')
    save(tmp_path / 'uniform', 'a', 10, times=[[0, 10]], sampling='uniform')
    with pytest.raises(ValueError, match='one vector per video'):
        build(annotate(tmp_path, dict(a=(10, actions))), tmp_path / 'uniform')


def test_data_set_works_with_mmengines_wrappers_and_workers(tmp_path):
    for video_id in 'abc':
        save(tmp_path / 'train', video_id, 10)
    ann_file = annotate(tmp_path, {video_id: (10, [('serve', 1, 2)]) for video_id in 'abc'})
    dataset = build(ann_file, tmp_path / 'train', pipeline=[lambda item: dict(item, seen=True)], indices=2)
    assert len(dataset) == 2
    assert dataset[1]['seen']
    assert dataset[1]['video_id'] == 'b'
    assert RepeatDataset(dataset, 3)[5]['video_id'] == 'b'
    copied = pickle.loads(pickle.dumps(build(ann_file, tmp_path / 'train')))  # as workers get it
    np.testing.assert_array_equal(copied[2]['feats'], dataset[0]['feats'])
    assert dataset.metainfo['classes'] == ('serve', 'return')
    assert dataset.metainfo['dims'] == DIMS
    assert dataset.metainfo['settings']['model'] == 'twlv_base'


@pytest.mark.parametrize('said', ['frames a second', 'number of frames', 'features'])
def test_features_of_elsewhere_are_on_actionformers_grid(tmp_path, said):
    fps, stride, frames, duration = 29.97, 4, 16, 20.0
    (tmp_path / 'i3d').mkdir()
    np.save(tmp_path / 'i3d/v_a-i3d.npy', np.ones((DIMS, 140), np.float16))
    features = dict(layout='DT', feat_stride=stride, num_frames=frames, file_prefix='v_', file_ext='-i3d.npy')
    actions = [dict(label='serve', segment=[2.0, 3.5]), dict(label='return', segment=[10.25, 19.0])]
    video = dict(duration=duration, annotations=actions)
    if said == 'features':
        features['default_fps'] = fps
    else:
        video |= {'fps': fps} if said == 'frames a second' else {'frame': round(fps * duration)}
    (tmp_path / 'actions.json').write_text(json.dumps(dict(a=video)))
    dataset = build(tmp_path / 'actions.json', tmp_path / 'i3d', features=features)
    fps = round(fps * duration) / duration if said == 'number of frames' else fps
    item = dataset[0]
    # ActionFormer's datasets: segments * fps / feat_stride - feat_offset, feat_offset = 0.5 * num_frames / feat_stride
    expected = np.array([[2.0, 3.5], [10.25, 19.0]]) * fps / stride - 0.5 * frames / stride
    np.testing.assert_allclose(item['segments'], expected, atol=1e-5)
    # and back: (segments * stride + 0.5 * nframes) / fps
    np.testing.assert_allclose(
        item['origin'] + item['segments'] * item['step'], (expected * stride + 0.5 * frames) / fps, atol=1e-5
    )
    assert item['feats'].shape == (140, DIMS)
    assert dataset.choices['features']['feat_stride'] == stride


def test_missing_frame_rate_is_asked_for(tmp_path):
    (tmp_path / 'i3d').mkdir()
    np.save(tmp_path / 'i3d/a.npy', np.ones((140, DIMS), np.float32))
    ann_file = annotate(tmp_path, {'a': (20.0, [('serve', 2, 3)])})
    with pytest.raises(ValueError, match='set default_fps, or fps for each video'):
        build(ann_file, tmp_path / 'i3d', features=dict(layout='TD', feat_stride=4, num_frames=16))
