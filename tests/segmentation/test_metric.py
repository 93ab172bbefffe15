"""The numbers of a test of segmentation models, its warnings and its files."""

import json

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from twlv_mm.segmentation.metric import SegmentationMetric

from ..written import read_csv

CLASSES = ('cut', 'stir', 'background')
TRUTH = dict(a=[2, 0, 0, 0, 0, 1, 1, 1, 2], b=[1, 1, 0, 0, 0])
NAMES = ['accuracy', 'edit', 'F1@10', 'F1@25', 'F1@50', 'mF1']


def sample_of(video_id, steps, truth, subsampling):
    meta = dict(video_id=video_id, fps=15.0, num_frames=len(truth), duration=len(truth) / 15, subsampling=subsampling)
    sample = ActionDataSample(metainfo=meta)
    sample.frame_labels, sample.pred_steps = torch.tensor(truth), torch.tensor(steps)
    return sample


def evaluate(metrics, predictions, subsampling=1, truth=TRUTH, classes=CLASSES, missing=()):
    """The numbers of metrics for dict of video id -> steps."""
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dict(classes=classes, missing=missing)
    for video_id, steps in predictions.items():
        evaluator.process([sample_of(video_id, steps, truth[video_id], subsampling)], None)
    return evaluator.evaluate(len(predictions))


@pytest.fixture
def score(tmp_path):
    def score(predictions, published=False, **options):
        return evaluate([SegmentationMetric(out_dir=str(tmp_path), published=published)], predictions, **options)

    return score


def test_right_predictions_are_perfect(score, logged):
    assert score(TRUTH) == dict.fromkeys(NAMES, 1)
    halves = {video_id: labels[::2] for video_id, labels in TRUTH.items()}
    assert score(halves, subsampling=2)['edit'] == 1
    assert not logged['warning']


def test_frames_and_segments_are_pooled_and_edit_is_the_mean_of_the_videos(score, logged):
    # a: 'cut' overlaps by 1/4, 'stir' is right, and the first frame is one segment too many.
    metrics = score(dict(a=[1, 0, 2, 2, 2, 1, 1, 1, 2], b=TRUTH['b']))
    expected = {'accuracy': 10 / 14, 'edit': (2 / 3 + 1) / 2, 'F1@10': 8 / 9, 'F1@25': 8 / 9, 'F1@50': 6 / 9}
    assert metrics == pytest.approx({**expected, 'mF1': 22 / 27})


def test_published_scores_repeat_the_published_mistakes(score, logged, tmp_path):
    # The video of 5 frames has 6 predicted ones, and its last true segment is 2 of 3 frames long: IoU 2/3.
    halves = dict(b=TRUTH['b'][::2])
    truth = dict(b=[1, 1, 0, 0, 0])
    overlaps = dict(overlaps=[0.5, 0.6, 0.7], prefix='published')
    metrics = evaluate([SegmentationMetric(published=True, **overlaps)], halves, 2, truth, missing=('c', 'd', 'e'))
    assert metrics == pytest.approx(
        {
            'published/accuracy': 1,
            'published/edit': 1 / 4,
            'published/F1@50': 1,
            'published/F1@60': 1,
            'published/F1@70': 1 / 2,
            'published/mF1': 5 / 6,
        }
    )
    assert 'count as an edit score of 0' in logged['warning'][0]
    assert not list(tmp_path.iterdir())


def test_videos_without_embeddings_count_in_no_score_and_the_log_says_so(score, logged):
    metrics = score(dict(a=TRUTH['a']), missing=('b', 'c', 'd', 'e'))
    assert metrics == dict.fromkeys(NAMES, 1)
    (warning,) = logged['warning']
    assert warning.startswith(
        '4 of the 5 videos HAVE NO EMBEDDINGS (b, c, d, …). The scores are those of the other videos'
    )


def test_video_of_background_alone_has_no_f1(score, logged):
    metrics = score(dict(a=[2, 0, 2]), truth=dict(a=[2, 2, 2]))
    assert metrics == pytest.approx(dict(zip(NAMES, [2 / 3, 0, *[float('nan')] * 4], strict=True)), nan_ok=True)
    (warning,) = logged['warning']
    assert 'no video has a true segment besides background: F1 has no meaning' in warning
    assert score(dict(a=[2, 0, 2]), truth=dict(a=[2, 2, 2]), published=True)['mF1'] == 0


def test_unlabelled_video_counts_nowhere(score, logged, tmp_path):
    truth = {**TRUTH, 'c': [-100, -100]}
    assert score({**TRUTH, 'c': [0, 1]}, truth=truth) == dict.fromkeys(NAMES, 1)
    assert read_csv(tmp_path / 'videos.csv')[-1] == ['c', '0', '', '', '', '', '']
    video = json.loads((tmp_path / 'predictions.json').read_text())['videos']['c']
    assert (video['truth'], video['predicted']) == ([], [[0, 0, 1], [1, 1, 2]])


def test_tables_of_classes_and_videos_are_written(score, logged, tmp_path):
    score(dict(b=TRUTH['b'], a=[1, 0, 2, 2, 2, 1, 1, 1, 2]))
    assert read_csv(tmp_path / 'class_accuracy.csv') == [
        ['index', 'class', 'frames', 'recall', 'true segments', 'predicted segments', 'F1@50'],
        ['0', 'cut', '7', '0.5714', '2', '2', '0.5000'],
        ['1', 'stir', '5', '1.0000', '2', '3', '0.8000'],
        ['2', 'background', '2', '0.5000', '0', '0', ''],
    ]
    assert read_csv(tmp_path / 'videos.csv') == [
        ['video_id', 'frames', 'accuracy', 'edit', 'F1@10', 'F1@25', 'F1@50'],
        ['a', '9', '0.5556', '0.6667', '0.8000', '0.8000', '0.4000'],
        ['b', '5', '1.0000', '1.0000', '1.0000', '1.0000', '1.0000'],
    ]
    (table,) = logged['info']
    assert table.splitlines()[2].split() == ['0', 'cut', '7', '57.14', '2', '2', '50.00']
    assert table.splitlines()[4].split() == ['2', 'background', '2', '50.00', '0', '0', '-']


def test_predictions_are_written_as_segments(score, logged, tmp_path):
    score({video_id: labels[::2] for video_id, labels in TRUTH.items()}, subsampling=2)
    assert json.loads((tmp_path / 'predictions.json').read_text()) == dict(
        version=1,
        classes=['cut', 'stir', 'background'],
        background=['background'],
        videos=dict(
            a=dict(
                fps=15.0,
                num_frames=9,
                truth=[[2, 0, 1], [0, 1, 5], [1, 5, 8], [2, 8, 9]],
                predicted=[[2, 0, 2], [0, 2, 6], [1, 6, 8], [2, 8, 9]],
            ),
            b=dict(fps=15.0, num_frames=5, truth=[[1, 0, 2], [0, 2, 5]], predicted=[[1, 0, 2], [0, 2, 5]]),
        ),
    )


def test_files_come_beside_the_log_of_a_run(tmp_path, monkeypatch):
    logger = MMLogger('segmentation_metric', log_file=str(tmp_path / '1.log'))
    monkeypatch.setattr(MMLogger, 'get_current_instance', lambda: logger)
    evaluate([SegmentationMetric(), SegmentationMetric(published=True, prefix='published')], TRUTH)
    expected = ['1.log', 'class_accuracy.csv', 'predictions.json', 'videos.csv']
    assert sorted(path.name for path in tmp_path.iterdir()) == expected
    assert 'Segmentation by class' in (tmp_path / '1.log').read_text()
    monkeypatch.setattr(MMLogger, 'get_current_instance', lambda: MMLogger('no_file'))
    with pytest.raises(ValueError, match='set out_dir'):
        evaluate([SegmentationMetric()], TRUTH)


@pytest.mark.parametrize(
    ('steps', 'truth', 'error'),
    [
        ([0, 3], [0, 1], 'a has a prediction of class 3, but the dataset has 3 classes'),
        ([0, -100], [0, 1], 'a has a prediction of class -100'),
        ([0, 1], [0, 4], 'a has a frame of class 4, but the dataset has 3 classes'),
        ([0, 1, 1], [0, 1], 'a has 3 predicted steps for 2 frames, 1 frames per step'),
    ],
)
def test_invalid_labels_are_refused(score, steps, truth, error):
    with pytest.raises(ValueError, match=error):
        score(dict(a=steps), truth=dict(a=truth))


def test_video_predicted_twice_is_refused(tmp_path):
    metric = SegmentationMetric(out_dir=str(tmp_path))
    metric.dataset_meta = dict(classes=CLASSES, missing=())
    metric.process(None, [sample_of(video_id, [0], [0], 1).to_dict() for video_id in 'aba'])
    with pytest.raises(ValueError, match='a was predicted twice'):
        metric.evaluate(3)


def test_test_without_videos_is_refused(tmp_path):
    metric = SegmentationMetric(out_dir=str(tmp_path))
    metric.dataset_meta = dict(classes=CLASSES, missing=('a',))
    with pytest.raises(ValueError, match='no video was predicted'):
        metric.evaluate(1)


@pytest.mark.parametrize('overlaps', [[], [0], [0.5, 1.5], [0.5, 0.501]])
def test_overlaps_that_do_not_fit_are_refused(overlaps):
    with pytest.raises(ValueError, match='overlaps must differ in percent'):
        SegmentationMetric(overlaps=overlaps)
