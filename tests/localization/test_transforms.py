"""Transforms: the grid of time stays right, crops keep actions, mmaction2's BMN takes what is packed for it."""

import numpy as np
import pytest
import torch
from mmaction.evaluation import ANetMetric
from mmaction.models import BMN
from mmengine.registry import init_default_scope

from twlv_mm.localization.transforms import CropFeatures, PackLocalization, PackProposals, ResizeFeatures

STEP, CLIP = 0.25, 0.5


def item(total, segments, labels=None, dims=1):
    """A video whose features are the times of its steps in seconds."""
    origin = CLIP / 2
    times = (origin + STEP * np.arange(total)).astype(np.float32)
    segments = np.array(segments, np.float32).reshape(-1, 2)
    return dict(
        video_id='abc',
        feats=np.repeat(times[:, None], dims, axis=1),
        duration=(total - 1) * STEP + CLIP,
        origin=origin,
        step=STEP,
        clip_seconds=CLIP,
        segments=segments,
        labels=np.arange(len(segments)) if labels is None else np.array(labels),
    )


def times(results):
    return results['origin'] + np.arange(len(results['feats'])) * results['step']


def seconds(results):
    return results['origin'] + results['segments'] * results['step']


def crops(total, segments, count=1000, **options):
    np.random.seed(0)
    crop = CropFeatures(**options)
    return [crop(item(total, segments)) for _ in range(count)]


def test_windows_of_long_videos_keep_time_and_half_of_every_action_they_show():
    segments = [[5, 10], [80, 120], [300, 302]]
    whole = seconds(item(400, segments))
    for results in crops(400, segments, count=300, max_length=100):
        assert results['feats'].shape == (100, 1)
        np.testing.assert_allclose(times(results), results['feats'][:, 0], atol=1e-4)
        assert len(results['labels']) == len(results['segments']) > 0
        shown = times(results)[[0, -1]] + [-CLIP / 2, CLIP / 2 + STEP]
        for label, (start, end) in zip(results['labels'], seconds(results), strict=True):
            assert start == pytest.approx(max(whole[label, 0], shown[0]), abs=1e-4)
            assert end == pytest.approx(min(whole[label, 1], shown[1]), abs=1e-4)
            assert end - start >= 0.5 * (whole[label, 1] - whole[label, 0]) - 1e-4


def test_windows_start_uniformly_where_an_action_is_kept():
    starts = [round((results['origin'] - CLIP / 2) / STEP) for results in crops(300, [[150, 160]], max_length=100)]
    # With a clip's margin of one step, from 5 steps of the action at the window's end to 5 at its start.
    places, counts = np.unique(starts, return_counts=True)
    assert (places.min(), places.max()) == (54, 156)
    assert len(places) > 100
    assert counts.max() < 3 * counts.mean()
    assert np.mean(starts) == pytest.approx(105, abs=4)


def test_short_videos_lose_a_random_share():
    lengths = {len(results['feats']) for results in crops(50, [[20, 30]], count=300, max_length=100)}
    assert lengths == set(range(45, 51))
    assert {len(results['feats']) for results in crops(1, [[0, 1]], count=3)} == {1}


def test_windows_of_an_action_longer_than_two_of_them_lie_within_it():
    for results in crops(1000, [[0, 999]], count=100, max_length=100):
        assert results['labels'].tolist() == [0]
        assert results['segments'][0, 0] <= 0
        assert results['segments'][0, 1] >= 99


def test_windows_lie_as_near_as_can_be_to_an_action_that_no_step_shows():
    for results in crops(300, [[-9, -3]], count=10, max_length=100):
        assert results['origin'] == CLIP / 2
        assert results['labels'].tolist() == [0]


def test_videos_without_actions_are_cropped_anywhere():
    assert {len(results['feats']) for results in crops(300, [], count=10, max_length=100)} == {100}


@pytest.mark.parametrize(('total', 'length'), [(400, 192), (77, 192), (100, 100), (1, 5)])
def test_resizing_keeps_time(total, length):
    segments = [[2, 7.5], [0, total - 1]]
    before = seconds(item(total, segments))
    results = ResizeFeatures(length)(item(total, segments))
    assert results['feats'].shape == (length, 1)
    np.testing.assert_allclose(seconds(results), before, atol=1e-4)
    assert results['segments'].dtype == np.float32
    expected = np.clip(times(results), CLIP / 2, CLIP / 2 + (total - 1) * STEP)  # the ends are repeated
    np.testing.assert_allclose(results['feats'][:, 0], expected, atol=1e-4)
    assert results['step'] * length == pytest.approx(STEP * total)
    assert results['clip_seconds'] == results['step']


def test_resized_video_can_be_cropped():
    np.random.seed(0)
    results = CropFeatures(max_length=192)(ResizeFeatures(192)(item(77, [[30, 40]])))
    assert 173 <= len(results['feats']) <= 192
    np.testing.assert_allclose(seconds(results), seconds(item(77, [[30, 40]])), atol=1e-4)


def test_packed_video_is_what_the_models_take():
    packed = PackLocalization()(item(10, [[1, 2.5], [3, 4]], labels=[7, 3], dims=4))
    assert packed['inputs'].shape == (4, 10)
    assert packed['inputs'].dtype == torch.float32
    torch.testing.assert_close(packed['inputs'][2], 0.25 + 0.25 * torch.arange(10))
    sample = packed['data_samples']
    assert (sample.video_id, sample.duration, sample.origin, sample.step) == ('abc', 2.75, 0.25, 0.25)
    assert sample.gt_instances.segments.tolist() == [[1, 2.5], [3, 4]]
    assert sample.gt_instances.labels.tolist() == [7, 3]
    empty = PackLocalization()(item(10, []))['data_samples'].gt_instances
    assert (empty.segments.shape, empty.segments.dtype) == ((0, 2), torch.float32)
    assert (empty.labels.shape, empty.labels.dtype) == ((0,), torch.int64)


def bmn(dims, temporal_dim):
    init_default_scope('mmaction')  # where BMN looks for its loss, whatever ran before in this process
    torch.manual_seed(0)
    return BMN(
        temporal_dim=temporal_dim,
        boundary_ratio=0.5,
        num_samples=4,
        num_samples_per_bin=2,
        feat_dim=dims,
        soft_nms_alpha=0.4,
        soft_nms_low_threshold=0.5,
        soft_nms_high_threshold=0.9,
        post_process_top_k=100,
        hidden_dim_1d=16,
        hidden_dim_2d=8,
        hidden_dim_3d=16,
    )


def packed_for_bmn(video_id, segments):
    results = ResizeFeatures(20)(dict(item(237, segments, dims=8), video_id=video_id))
    return PackProposals()(results)


def test_bmn_learns_and_proposes_and_its_metric_measures():
    model = bmn(8, 20)
    videos = [packed_for_bmn('v_abc', [[40, 120]]), packed_for_bmn('def', [[100, 200], [10, 40]])]
    inputs, samples = ([video[key] for video in videos] for key in ('inputs', 'data_samples'))
    loss = model(inputs, samples, mode='loss')['loss']
    loss.backward()
    assert torch.isfinite(loss)
    metric = ANetMetric(metric_type='AR@AN', dump_config=dict(out='', output_format='csv'))
    metric.dump_results = lambda results: None
    for video, sample in zip(inputs, samples, strict=True):
        with torch.no_grad():
            proposals = model([video], [sample], mode='predict')
        ends = [end for proposal in proposals[0]['proposal_list'] for end in proposal['segment']]
        assert min(ends) >= 0
        assert 0.9 * sample.duration_second < max(ends) <= sample.duration_second  # 19 / 20, not less by rounding
        metric.process(dict(data_samples=[sample]), proposals)
    assert set(metric.ground_truth) == {'abc', 'def'}
    recalls = metric.compute_metrics(metric.results)
    assert 0 < recalls['AR@100'] <= 1


def test_truth_that_is_proposed_is_found_at_every_overlap():
    sample = packed_for_bmn('abc', [[40, 120]])['data_samples']
    start, end = sample.annotations[0]['segment']
    assert (start, end) == (pytest.approx(10.25, abs=1e-4), pytest.approx(30.25, abs=1e-4))
    np.testing.assert_allclose(sample.gt_instances.gt_bbox * sample.duration_second, [[10.25, 30.25]], atol=1e-4)
    metric = ANetMetric(metric_type='AR@AN', dump_config=dict(out='', output_format='csv'))
    metric.dump_results = lambda results: None
    proposal = dict(segment=[start, end], score=1.0)
    metric.process(dict(data_samples=[sample]), [dict(video_name='v_abc', proposal_list=[proposal] * 100)])
    assert metric.compute_metrics(metric.results)['AR@1'] == pytest.approx(1)


def test_video_without_actions_cannot_train_bmn():
    with pytest.raises(ValueError, match='abc has no action'):
        PackProposals()(ResizeFeatures(20)(item(50, [])))
