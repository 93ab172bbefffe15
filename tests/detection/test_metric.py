"""mAP of boxes: mmaction2's numbers, but for classes that are missed, and its files; mAP of tubelets."""

from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.evaluation.functional import ava_utils
from mmaction.evaluation.metrics import AVAMetric
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from twlv_mm.detection.average_precision import average_precision, pair_iou
from twlv_mm.detection.metric import FrameMAP
from twlv_mm.detection.tube_metric import TubeMAP
from twlv_mm.synthetic.annotations import write_action_list

from ..written import read_csv

NAMES = ['sit', 'stand', 'walk', 'talk', 'eat']
A, B, C, D = 1, 2, 3, 4  # ids of actions
LEFT, RIGHT = (0.1, 0.1, 0.4, 0.8), (0.5, 0.2, 0.9, 0.8)


def write_files(folder, rows, names=NAMES, excluded=()):
    """Annotations of (video, second, box, action, person); what a metric is built with."""
    write_action_list(folder / 'actions.pbtxt', names)
    lines = (
        f'{video},{second:04},{",".join(map(str, box))},{action},{who}' for video, second, box, action, who in rows
    )
    (folder / 'truth.csv').write_text(''.join(f'{line}\n' for line in lines))
    (folder / 'excluded.csv').write_text(''.join(f'{video},{second:04}\n' for video, second in excluded))
    files = dict(ann_file='truth.csv', label_file='actions.pbtxt', exclude_file='excluded.csv')
    return {name: str(folder / file) for name, file in files.items()}


def sample_of(video, second, boxes, scores, num_classes=6):
    """Boxes with a dict of action -> score, or an array of scores."""
    if not isinstance(scores, np.ndarray):
        table = np.zeros((len(boxes), num_classes), np.float32)
        for row, found in zip(table, scores, strict=True):
            row[list(found)] = list(found.values())
        scores = table
    sample = ActionDataSample(metainfo=dict(video_id=video, timestamp=second))
    boxes = torch.tensor(np.array(boxes, np.float32).reshape(-1, 4))
    sample.pred_instances = InstanceData(bboxes=boxes, scores=torch.tensor(scores))
    return sample


def evaluate(metric, samples):
    evaluator = Evaluator([metric])
    for sample in samples:
        evaluator.process([sample], None)
    return evaluator.evaluate(len(samples))


def score(files, samples, **options):
    return evaluate(FrameMAP(**files, out_dir=str(Path(files['ann_file']).parent / 'out'), **options), samples)


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """AVAMetric's mAP; it writes to where one is, and would start 32 processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ava_utils.multiprocessing, 'Pool', lambda _: ThreadPool(1))
    return lambda files, samples, num_classes: evaluate(AVAMetric(**files, num_classes=num_classes), samples)


def random_boxes(rng, count):
    corners = rng.uniform(0, 0.6, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(0.1, 0.4, (count, 2))], axis=1)


def random_set(rng, *, num_classes, jitter, duplicates, coarse):
    """Annotations and predictions that find some, miss some, and tie where they are coarse."""
    rows, samples = [], []
    for second in rng.permutation(np.arange(902, 952)).tolist():
        true = np.round(random_boxes(rng, rng.integers(0, 4)), 1 if coarse else 3)
        for person, box in enumerate(true.tolist()):
            actions = rng.choice(np.arange(1, num_classes), rng.integers(1, 4), replace=False)
            rows += [(f'v{second % 3}', second, box, action, person) for action in actions.tolist()]
        near = np.repeat(true, duplicates, axis=0) + rng.normal(0, jitter, (len(true) * duplicates, 4))
        boxes = np.clip(np.concatenate([near, random_boxes(rng, 3)]), 0, 1)
        boxes = np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)
        scores = rng.random((len(boxes), num_classes)).astype(np.float32) ** 3
        samples.append(sample_of(f'v{second % 3}', second, boxes, np.round(scores, 1) if coarse else scores))
    rng.shuffle(samples)
    return rows, samples


@pytest.mark.parametrize(
    ('jitter', 'duplicates', 'coarse'), [(0, 1, False), (0.02, 3, False), (0.06, 2, True), (0, 3, True), (1, 1, False)]
)
def test_numbers_are_those_of_mmaction2(jitter, duplicates, coarse, tmp_path, upstream):
    rng = np.random.default_rng(0)
    rows, samples = random_set(rng, num_classes=6, jitter=jitter, duplicates=duplicates, coarse=coarse)
    excluded = {('v0', 900), *((sample.video_id, sample.timestamp) for sample in samples[:3])}
    rows = [row for row in rows if row[:2] not in excluded]
    files = write_files(tmp_path, rows, excluded=excluded)
    found, expected = score(files, samples)['mAP@0.5'], upstream(files, samples, 6)['mAP/overall']
    assert 0 < expected < 1 or jitter == 1
    assert found == pytest.approx(expected, abs=1e-9)
    # Scores of one decimal tie by the hundred, and tell on the result.
    assert score(files, samples[::-1])['mAP@0.5'] == found


def test_iou_that_meets_the_threshold_exactly_counts_as_in_mmaction2(tmp_path, upstream):
    rng = np.random.default_rng(0)
    left, top, width, height = np.round([rng.uniform(low, 0.4, 200) for low in (0, 0, 0.1, 0.1)], 3)
    true = np.stack([left, top, left + 2 * width, top + height], axis=1).round(3)
    half = np.stack([left, top, left + width, top + height], axis=1).round(3)
    half[::2, 2] -= 4e-5  # rounded away
    rows = [('v', 902 + place, box, A, 0) for place, box in enumerate(true.tolist())]
    samples = [sample_of('v', 902 + place, [box], [{A: rng.random()}]) for place, box in enumerate(half)]
    files = write_files(tmp_path, rows)
    found = score(files, samples)['mAP@0.5']
    assert 0.1 < found < 0.9  # some rounded up, some down
    assert found == pytest.approx(upstream(files, samples, 6)['mAP/overall'], abs=1e-9)


def test_class_that_is_never_predicted_counts_nothing_instead_of_not_at_all(tmp_path, upstream):
    files = write_files(tmp_path, [('v', 902, LEFT, A, 0), ('v', 902, LEFT, B, 0), ('v', 903, RIGHT, A, 0)])
    samples = [sample_of('v', 902, [LEFT], [{A: 0.9}]), sample_of('v', 903, [RIGHT], [{A: 0.8}])]
    assert upstream(files, samples, 6)['mAP/overall'] == 1
    assert score(files, samples) == {'mAP@0.5': 0.5}


def test_second_box_of_a_person_and_wrong_places_are_false(tmp_path):
    files = write_files(tmp_path, [('v', 902, LEFT, A, 0), ('v', 903, RIGHT, A, 0)])
    # True, false (again the same), false (a place of another time), true: 1 / 2 * (1 + 2 / 4).
    samples = [
        sample_of('v', 902, [LEFT, LEFT, RIGHT], [{A: 0.9}, {A: 0.8}, {A: 0.7}]),
        sample_of('v', 903, [RIGHT], [{A: 0.6}]),
    ]
    assert score(files, samples)['mAP@0.5'] == pytest.approx(0.75)
    assert score(files, samples, min_score=0.6)['mAP@0.5'] == pytest.approx(0.5)
    assert score(files, samples, iou_threshold=0.99)['mAP@0.99'] == pytest.approx(0.75)
    moved = sample_of('v', 902, [np.array(LEFT) + 0.03], [{A: 0.9}])
    assert score(files, [moved], iou_threshold=0.7)['mAP@0.7'] == pytest.approx(0.5)
    assert score(files, [moved], iou_threshold=0.8)['mAP@0.8'] == 0


def test_keyframes_without_predictions_count_as_misses_and_are_reported(tmp_path, logged):
    rows = [('v', 902, LEFT, A, 0), ('w', 902, LEFT, A, 0), ('w', 903, LEFT, A, 0), ('x', 902, LEFT, A, 0)]
    files = write_files(tmp_path, rows, excluded=[('x', 902)])
    assert score(files, [sample_of('v', 902, [LEFT], [{A: 0.9}])])['mAP@0.5'] == pytest.approx(1 / 3)
    (warning,) = logged['warning']
    assert '2 of the 3 keyframes' in warning
    assert 'in 1 videos (w). Their 2 actions, 66.7% of all' in warning


def test_table_has_a_row_for_each_class_and_predictions_are_in_avas_format(tmp_path, logged, upstream):
    files = write_files(tmp_path, [('v', 902, LEFT, A, 0), ('v', 902, LEFT, C, 0), ('w', 902.5, RIGHT, A, 0)])
    samples = [
        sample_of('w', 902.5, [RIGHT], [{A: 0.123456}]),
        sample_of('v', 902, [RIGHT, LEFT], [{A: 0.2, B: 0.001}, {A: 0.9, D: 0.5}]),
    ]
    assert score(files, samples)['mAP@0.5'] == pytest.approx((1 / 2 * (1 + 2 / 3) + 0) / 2)
    assert read_csv(tmp_path / 'out/class_ap.csv') == [
        ['id', 'class', 'truth', 'predictions', 'AP@0.5'],
        ['1', 'sit', '2', '3', '0.8333'],
        ['2', 'stand', '0', '0', ''],
        ['3', 'walk', '1', '0', '0.0000'],
        ['4', 'talk', '0', '1', ''],
        ['5', 'eat', '0', '0', ''],
    ]
    (table,) = logged['info']
    assert table.splitlines()[2].split() == ['1', 'sit', '2', '3', '83.33']
    assert table.splitlines()[-1].split() == ['all', '3', '4', '41.67']
    assert read_csv(tmp_path / 'out/predictions.csv') == [
        ['v', '0902', '0.1000', '0.1000', '0.4000', '0.8000', '1', '0.9000'],
        ['v', '0902', '0.5000', '0.2000', '0.9000', '0.8000', '1', '0.2000'],
        ['v', '0902', '0.1000', '0.1000', '0.4000', '0.8000', '4', '0.5000'],
        ['w', '0902.500', '0.5000', '0.2000', '0.9000', '0.8000', '1', '0.1235'],
    ]


def test_written_predictions_give_the_number_again(tmp_path, upstream):
    rng = np.random.default_rng(1)
    rows, samples = random_set(rng, num_classes=6, jitter=0.03, duplicates=2, coarse=False)
    files = write_files(tmp_path, rows)
    expected = score(files, samples)['mAP@0.5']
    predictions = str(tmp_path / 'out/predictions.csv')
    found = ava_utils.ava_eval(predictions, 'mAP', files['label_file'], files['ann_file'], None, verbose=False)
    assert found['overall'] == pytest.approx(expected, abs=1e-9)


def test_what_cannot_be_scored_is_refused(tmp_path):
    files = write_files(tmp_path, [('v', 902, LEFT, A, 0)], excluded=[('w', 902)])
    good = sample_of('v', 902, [LEFT], [{A: 0.9}])
    for samples, message in (
        ([good, good], r'v was predicted twice at 902 s'),
        ([sample_of('w', 902, [LEFT], [{A: 0.9}])], r'none of the 1 predicted keyframes has .*the first is w at 902 s'),
        ([sample_of('v', 902, [LEFT[::-1]], [{A: 0.9}])], r'v at 902 s has a predicted box that ends before it starts'),
        ([sample_of('v', 902, [(0, 0, 1, np.nan)], [{A: 0.9}])], r'boxes of v at 902 s contain NaN'),
        ([sample_of('v', 902, [LEFT], [{A: np.nan}])], r'scores of v at 902 s contain NaN'),
        (
            [sample_of('v', 902, [LEFT], [{A: 0.9}], num_classes=5)],
            r'shape \(1, 5\), .*action 5 \(eat\).*num_classes=6',
        ),
    ):
        with pytest.raises(ValueError, match=message):
            score(files, samples)
    with pytest.raises(ValueError, match='threshold is 1.5'):
        score(files, [good], iou_threshold=1.5)
    with pytest.raises(ValueError, match='min_score is -1'):
        score(files, [good], min_score=-1)
    (tmp_path / 'excluded.csv').write_text('v,0902\n')
    with pytest.raises(ValueError, match=r'truth\.csv has no action of .*actions\.pbtxt at a keyframe'):
        score(files, [good])


def test_average_precision_is_the_area_under_the_interpolated_curve():
    hits = np.array([True, False, True, True])
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.6]), hits, 4) == pytest.approx((1 + 3 / 4 + 3 / 4) / 4)
    assert average_precision(np.array([0.6, 0.7, 0.8, 0.9]), hits, 3) == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert average_precision(np.zeros(0), np.zeros(0, bool), 3) == 0
    assert np.isnan(average_precision(np.zeros(2), np.zeros(2, bool), 0))
    flat = np.array([[0.5, 0.5, 0.5, 0.5]], np.float32)
    assert pair_iou(flat, flat).tolist() == [[0]]


def tube_sample(true, found, labels, scores, valid=None, timestamp=902):
    """A clip of images of 50 x 100 pixels; tubelets in shares."""
    true = torch.tensor(np.array(true, np.float32))
    sample = sample_of('v', timestamp, np.zeros((len(found), 4)), scores)
    sample.set_metainfo(dict(img_shape=(50, 100)))
    hot = torch.zeros(len(labels), len(NAMES) + 1)
    for row, actions in zip(hot, labels, strict=True):
        row[list(actions)] = 1
    valid = torch.ones(true.shape[:2], dtype=torch.bool) if valid is None else torch.tensor(valid)
    sample.gt_instances = InstanceData(tubes=true * torch.tensor([100.0, 50, 100, 50]), tube_valid=valid, labels=hot)
    sample.pred_instances.tubes = torch.tensor(np.array(found, np.float32))
    return sample


def score_tubes(tmp_path, *samples):
    write_action_list(tmp_path / 'actions.pbtxt', NAMES)
    return evaluate(TubeMAP(str(tmp_path / 'actions.pbtxt'), out_dir=str(tmp_path)), samples)


def test_tubelet_counts_by_the_mean_overlap_of_its_frames(tmp_path):
    # Alike in one frame of four, without overlap in the others: IoU 0.25.
    fleeing = [LEFT, RIGHT, RIGHT, RIGHT]
    found = score_tubes(tmp_path, tube_sample([[LEFT] * 4], [fleeing], [(A,)], [{A: 0.9}]))
    assert found == {'video_mAP@0.2': 1, 'video_mAP@0.5': 0}
    assert read_csv(tmp_path / 'tube_class_ap.csv')[:2] == [
        ['id', 'class', 'truth', 'predictions', 'video_AP@0.2', 'video_AP@0.5'],
        ['1', 'sit', '1', '1', '1.0000', '0.0000'],
    ]


def test_frames_without_the_person_lower_the_overlap_in_time(tmp_path):
    for there, expected in (
        (1, {'video_mAP@0.2': 1, 'video_mAP@0.5': 0}),
        (3, {'video_mAP@0.2': 1, 'video_mAP@0.5': 1}),
    ):
        valid = [[place < there for place in range(4)]]
        sample = tube_sample([[LEFT] * 4], [[LEFT] * 4], [(A,)], [{A: 0.9}], valid)
        assert score_tubes(tmp_path, sample) == expected


def test_tubelets_of_all_clips_compete_and_missed_classes_count_nothing(tmp_path):
    still = [LEFT] * 2, [RIGHT] * 2
    samples = (
        tube_sample(still, still, [(A,), (A, B)], [{A: 0.4}, {A: 0.9}]),
        tube_sample([still[0]], [still[1]], [(A,)], [{A: 0.7}], timestamp=903),
    )
    # Of A: true, false, true of three.
    expected = (1 + 2 / 3) / 3 / 2
    assert score_tubes(tmp_path, *samples) == pytest.approx({'video_mAP@0.2': expected, 'video_mAP@0.5': expected})


def test_clips_without_tubelets_are_refused(tmp_path):
    good = tube_sample([[LEFT] * 2], [[LEFT] * 2], [(A,)], [{A: 0.9}])
    del good.pred_instances.tubes
    with pytest.raises(ValueError, match=r'v at 902 s has no predicted tubelets'):
        score_tubes(tmp_path, good)
    with pytest.raises(ValueError, match=r'predicted tubelets of 3 frames and annotated ones of 2'):
        score_tubes(tmp_path, tube_sample([[LEFT] * 2], [[LEFT] * 3], [(A,)], [{A: 0.9}]))
    with pytest.raises(ValueError, match='no clip has an annotated tubelet'):
        score_tubes(tmp_path, tube_sample(np.zeros((0, 2, 4)), np.zeros((0, 2, 4)), [], []))
