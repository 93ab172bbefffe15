"""mAP over time segments, by definition and as published, and its files."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData

from twlv_mm.localization.annotations import read_annotations
from twlv_mm.localization.average_precision import average_precision
from twlv_mm.localization.metric import LocalizationMAP

from ..written import read_csv, read_golden

THUMOS = [0.3, 0.4, 0.5, 0.6, 0.7]
CLASSES = ('run', 'jump', 'sit')
ACTIONS = dict(a=[(0, 10, 'run'), (20, 30, 'run'), (40, 44, 'jump')], b=[(5, 9, 'jump')], c=[], d=[(0, 2, 'run')])


@pytest.fixture
def ann_file(tmp_path):
    entries = {
        video_id: dict(
            subset='train' if video_id == 'd' else 'test',
            duration=60,
            annotations=[dict(label=label, segment=[start, end]) for start, end, label in actions],
        )
        for video_id, actions in ACTIONS.items()
    }
    path = tmp_path / 'actions.json'
    path.write_text(json.dumps(entries))
    return str(path)


def build(ann_file, **options):
    options = {**dict(subset='test', iou_thresholds=[0.5, 0.75], classes=CLASSES), **options}
    return LocalizationMAP(ann_file, out_dir=str(Path(ann_file).parent / 'out'), **options)


def evaluate(metric, predictions, classes=CLASSES):
    """The numbers of a metric for dict of video id -> list of (start, end, score, label)."""
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(classes=classes)
    for video_id, found in predictions.items():
        sample = ActionDataSample(metainfo=dict(video_id=video_id))
        table = torch.tensor(found).reshape(-1, 4)
        sample.pred_instances = InstanceData(segments=table[:, :2], scores=table[:, 2], labels=table[:, 3].long())
        evaluator.process([sample], None)
    return evaluator.evaluate(len(predictions))


def iou(one, other):
    shared = max(min(one[1], other[1]) - max(one[0], other[0]), 0)
    return shared / ((one[1] - one[0]) + (other[1] - other[0]) - shared)


def precision_by_definition(predictions, truth, label, threshold):
    """Average precision of a class, a prediction at a time: the area under the interpolated curve."""
    free = {
        video_id: [tuple(segment) for segment, other in zip(segments.tolist(), labels, strict=True) if other == label]
        for video_id, (segments, labels) in truth.items()
    }
    total = sum(map(len, free.values()))
    ranked = sorted(
        (-score, video_id, *segment)
        for video_id, (segments, scores, labels) in predictions.items()
        for segment, score, other in zip(segments.tolist(), scores.tolist(), labels, strict=True)
        if other == label
    )
    points, correct = [], 0
    for rank, (_, video_id, *segment) in enumerate(ranked, 1):
        best = max(free.get(video_id, []), key=lambda action: iou(segment, action), default=None)
        if best is not None and iou(segment, best) >= threshold:
            free[video_id].remove(best)
            correct += 1
        points.append((correct / total, correct / rank))
    return sum(
        max((precision for recall, precision in points if recall >= count / total - 1e-9), default=0) / total
        for count in range(1, total + 1)
    )


def crowd(seed, levels, num_videos=8):
    """Random actions and predictions around them; scores of so many different values."""
    random = np.random.default_rng(seed)
    truth, predictions = {}, {}
    for number in range(num_videos):
        starts = random.uniform(0, 40, 9)
        actions = np.stack([starts, starts + random.uniform(2, 20, 9)], axis=1)
        labels = random.integers(0, 3, 9)
        places = random.integers(0, 9, 60)
        segments = np.sort(actions[places] + random.normal(0, 2, (60, 2)), axis=1)
        guesses = np.where(random.random(60) < 0.8, labels[places], random.integers(0, 3, 60))
        truth[f'v{number}'] = actions, labels
        predictions[f'v{number}'] = segments, random.integers(1, levels + 1, 60) / levels, guesses
    return predictions, truth


@pytest.mark.parametrize('levels', [1_000_000, 20])
def test_average_precision_is_that_of_the_definition(levels):
    predictions, truth = crowd(0, levels)
    del predictions['v3'], truth['v5']
    thresholds = [0.3, 0.5, 0.7, 0.9]
    found = average_precision(predictions, truth, 3, thresholds)
    expected = [
        [precision_by_definition(predictions, truth, label, threshold) for threshold in thresholds]
        for label in range(3)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (np.diff(found, axis=1) < 0).all()


def test_order_of_the_input_does_not_matter_for_equal_scores():
    predictions, truth = crowd(1, levels=5)
    expected = average_precision(predictions, truth, 3, THUMOS)
    random = np.random.default_rng(0)
    shuffled = {}
    for video_id in reversed(predictions):
        order = random.permutation(60)
        shuffled[video_id] = tuple(values[order] for values in predictions[video_id])
    np.testing.assert_array_equal(average_precision(shuffled, truth, 3, THUMOS), expected)


def test_classes_without_predictions_count_and_those_without_actions_do_not(ann_file, logged):
    metrics = evaluate(build(ann_file), dict(a=[(0, 10, 0.9, 0), (0, 1, 0.5, 2)], b=[(5, 9, 0.1, 2)], c=[(1, 2, 1, 0)]))
    # 'run': one of two found, behind one mistake; 'jump': none of two.
    assert metrics == pytest.approx({'mAP@0.50': 0.125, 'mAP@0.75': 0.125, 'mAP': 0.125})
    assert [line for line in logged['warning'] if 'do not count' in line] == [
        f"2 predictions of 1 classes without actions in {ann_file}, subset 'test' do not count: sit"
    ]


def test_each_action_is_found_once(ann_file):
    metrics = evaluate(build(ann_file), dict(a=[(0, 10, 0.9, 0), (0, 9, 0.8, 0), (20, 26, 0.7, 0)], b=[], c=[]))
    assert metrics['mAP@0.50'] == pytest.approx((1 / 2 + 2 / 3 / 2) / 2)
    assert metrics['mAP@0.75'] == pytest.approx(1 / 2 / 2)


def test_actions_of_videos_without_predictions_are_missed_and_the_log_says_so(ann_file, logged):
    right = dict(a=[(0, 10, 0.9, 0), (20, 30, 0.8, 0), (40, 44, 0.9, 1)], b=[(5, 9, 0.9, 1)], c=[(1, 2, 0.1, 0)])
    assert evaluate(build(ann_file), right)['mAP'] == 1
    assert not logged['warning']
    for missing in ({**right, 'b': []}, {'a': right['a'], 'c': right['c']}):
        logged['warning'].clear()
        assert evaluate(build(ann_file), missing)['mAP'] == pytest.approx(0.75)
        (warning,) = logged['warning']
        assert '1 of the 3 videos' in warning
        assert 'HAVE NO PREDICTIONS (b)' in warning
        assert 'Their 1 actions, 25.0% of all, count as missed' in warning


def test_table_of_classes_is_written_and_logged(ann_file, tmp_path, logged):
    evaluate(build(ann_file), dict(a=[(0, 10, 0.9, 0), (41, 44, 0.5, 1)], b=[], c=[]))
    assert read_csv(tmp_path / 'out' / 'class_ap.csv') == [
        ['index', 'class', 'actions', 'predictions', 'AP@0.50', 'AP@0.75', 'AP'],
        ['0', 'run', '2', '1', '0.5000', '0.5000', '0.5000'],
        ['1', 'jump', '2', '1', '0.5000', '0.5000', '0.5000'],
        ['2', 'sit', '0', '0', '', '', ''],
    ]
    (table,) = logged['info']
    assert [line.split() for line in table.splitlines()[-4:]] == [
        ['0', 'run', '2', '1', '50.00', '50.00', '50.00'],
        ['1', 'jump', '2', '1', '50.00', '50.00', '50.00'],
        ['2', 'sit', '0', '0', '-', '-', '-'],
        ['all', '4', '2', '50.00', '50.00', '50.00'],
    ]


def test_written_predictions_are_scored_the_same(ann_file, tmp_path):
    found = dict(a=[(0.1, 9.7, 0.9, 0), (40.3, 44, 1 / 3, 1)], b=[(6, 9, 0.7, 1)], c=[])
    expected = evaluate(build(ann_file), found)
    content = json.loads((tmp_path / 'out' / 'predictions.json').read_text())
    assert sorted(content) == ['external_data', 'results', 'version']
    assert content['results']['b'] == [dict(label='jump', segment=[6, 9], score=pytest.approx(0.7))]
    # What was annotated stands there, too, so that the file can be drawn by itself.
    truth = content['external_data']['truth']
    assert truth.keys() == content['results'].keys()
    assert [action['label'] for action in truth['b']] == [CLASSES[label] for label in build(ann_file).truth['b'][1]]
    again = {
        video_id: [(*line['segment'], line['score'], CLASSES.index(line['label'])) for line in lines]
        for video_id, lines in content['results'].items()
    }
    assert again.keys() == found.keys()
    assert evaluate(build(ann_file), again) == expected


def test_files_come_beside_the_log_of_a_run(ann_file, tmp_path, monkeypatch):
    (tmp_path / 'run').mkdir()
    logger = MMLogger('localization_metric', log_file=str(tmp_path / 'run' / '1.log'))
    monkeypatch.setattr(MMLogger, 'get_current_instance', lambda: logger)
    metric = build(ann_file)
    metric.out_dir = None
    evaluate(metric, dict(a=[(0, 10, 0.9, 0)]))
    assert sorted(path.name for path in (tmp_path / 'run').iterdir()) == ['1.log', 'class_ap.csv', 'predictions.json']
    text = (tmp_path / 'run' / '1.log').read_text()
    assert 'HAVE NO PREDICTIONS' in text
    monkeypatch.setattr(MMLogger, 'get_current_instance', lambda: MMLogger('no_file'))
    with pytest.raises(ValueError, match='set out_dir'):
        evaluate(metric, dict(a=[]))


@pytest.mark.parametrize(
    ('found', 'error'),
    [
        (dict(a=[], d=[], x=[]), r"2 videos that .*actions\.json, subset 'test' does not have, the first is d"),
        (dict(a=[(0, 1, 0.5, 3)]), 'a has a prediction of class 3, but .* has 3 classes'),
        (dict(a=[(0, 1, 0.5, -1)]), 'a has a prediction of class -1'),
        (dict(b=[(0, 1, float('nan'), 0)]), 'predictions of b contain NaN'),
        (dict(b=[(float('inf'), 1, 0.5, 0)]), 'predictions of b contain NaN'),
        (dict(b=[(2, 1, 0.5, 0)]), 'b has a predicted segment that ends before it starts'),
    ],
)
def test_invalid_predictions_are_refused(ann_file, found, error):
    with pytest.raises(ValueError, match=error):
        evaluate(build(ann_file), found)


def test_video_predicted_twice_is_refused(ann_file):
    metric = build(ann_file)
    nothing = dict(segments=torch.zeros(0, 2), scores=torch.zeros(0), labels=torch.zeros(0, dtype=torch.int64))
    metric.process(None, [dict(video_id=video_id, pred_instances=nothing) for video_id in 'abca'])
    with pytest.raises(ValueError, match='a was predicted twice'):
        metric.evaluate(4)


def test_dataset_with_other_classes_is_refused(ann_file):
    with pytest.raises(ValueError, match='the 3 classes of the dataset are not the 3 of .* another order'):
        evaluate(build(ann_file), dict(a=[]), classes=CLASSES[::-1])


def test_options_that_do_not_fit_are_refused(ann_file):
    for thresholds in ([], [0], [0.5, 1.5], [0.5, 0.501]):
        with pytest.raises(ValueError, match='iou_thresholds must differ'):
            build(ann_file, iou_thresholds=thresholds)
    entries = dict(a=dict(annotations=[]))
    Path(ann_file).write_text(json.dumps(entries))
    with pytest.raises(ValueError, match='has no action to find'):
        build(ann_file, subset=None)


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='the environment variable TWLV_SHARED is not set')
def test_map_on_thumos14_is_the_published_one(tmp_path):
    ann_file = Path(os.environ['TWLV_SHARED']) / 'annotations/thumos14/thumos14.json'
    classes = read_annotations(ann_file).classes
    metric = LocalizationMAP(str(ann_file), 'Test', THUMOS, out_dir=str(tmp_path))
    golden, _ = read_golden('thumos14_map')
    video_ids, expected = golden['in/video_id'], golden['out/map_self_contained']
    table = np.stack([golden[f'in/{name}'] for name in ('t_start', 't_end', 'score', 'label')], axis=1)
    metrics = evaluate(metric, {id_: table[video_ids == id_].tolist() for id_ in np.unique(video_ids)}, classes)
    assert list(metrics) == ['mAP@0.30', 'mAP@0.40', 'mAP@0.50', 'mAP@0.60', 'mAP@0.70', 'mAP']
    np.testing.assert_allclose(list(metrics.values()), [*expected, expected.mean()], atol=1e-4)
