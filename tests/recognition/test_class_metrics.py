"""Per-class accuracy and confusions, as files beside a run's log."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmaction.evaluation import AccMetric

from twlv_mm.engine import launch
from twlv_mm.recognition import ClassMetric
from twlv_mm.recognition.predictions import Prediction, read_predictions
from twlv_mm.visualization import draw_confusion_matrix

from ..written import read_csv


def evaluate(metric, labels, predicted, num_classes):
    """A metric's numbers for videos of which each has all its score on one class."""
    samples = [
        dict(pred_score=torch.eye(num_classes)[guess], gt_label=torch.tensor(np.atleast_1d(label)))
        for label, guess in zip(labels, predicted, strict=True)
    ]
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_tables_count_every_video(tmp_path):
    labels, predicted = [0, 0, 0, 0, 2, 2, 2], [0, 0, 1, 2, 2, 1, 1]
    metrics = evaluate(ClassMetric(['run', 'jump, high', 'sit'], str(tmp_path)), labels, predicted, 3)
    assert metrics == {'class/mean_accuracy': pytest.approx((2 / 4 + 1 / 3) / 2)}
    assert read_csv(tmp_path / 'class_accuracy.csv')[1:] == [
        ['0', 'run', '4', '2', '0.5000'],
        ['1', 'jump, high', '0', '0', ''],
        ['2', 'sit', '3', '1', '0.3333'],
    ]
    assert read_csv(tmp_path / 'confusion_matrix.csv') == [
        ['true class', 'run', 'jump, high', 'sit'],
        ['run', '2', '1', '1'],
        ['jump, high', '0', '0', '0'],
        ['sit', '0', '2', '1'],
    ]
    assert read_csv(tmp_path / 'confused_pairs.csv')[1:] == [
        ['sit', 'jump, high', '2', '0.6667'],
        ['run', 'jump, high', '1', '0.2500'],
        ['run', 'sit', '1', '0.2500'],
    ]
    assert cv2.imread(str(tmp_path / 'confusion_matrix.png')) is not None


def test_class_that_is_only_predicted_does_not_lower_the_mean(tmp_path):
    labels, predicted = [0, 0, 1, 1], [0, 0, 1, 2]
    ours = evaluate(ClassMetric(out_dir=str(tmp_path)), labels, predicted, 3)['class/mean_accuracy']
    assert ours == pytest.approx(0.75)
    upstream = evaluate(AccMetric(metric_list='mean_class_accuracy'), labels, predicted, 3)['acc/mean1']
    assert upstream == pytest.approx(0.5)  # why there is a mean of ours


def test_many_classes_have_a_picture_of_those_that_are_confused(tmp_path):
    labels = np.arange(174).repeat(2)
    evaluate(ClassMetric(out_dir=str(tmp_path)), labels, (labels + 1) % 174, 174)
    pairs = read_csv(tmp_path / 'confused_pairs.csv')
    assert len(pairs) == 101
    assert pairs[1] == ['0', '1', '2', '1.0000']
    height, width, _ = cv2.imread(str(tmp_path / 'confusion_matrix.png')).shape
    assert 100 * 20 < height < 100 * 40 > width  # cells of 100 classes, large enough for digits


def test_predictions_are_kept_where_videos_have_ids(tmp_path):
    metric = ClassMetric(['run', 'sit'], str(tmp_path))
    scores = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
    samples = [
        dict(pred_score=row, gt_label=torch.tensor([1]), video_id=name, **times)
        for row, name, times in zip(scores, 'ab', ({}, dict(start=1.0, end=2.0)), strict=True)
    ]
    metric.process(None, samples)
    metric.evaluate(2)
    classes, (first, second) = read_predictions(tmp_path / 'predictions.json')
    assert classes == ['run', 'sit']
    assert first == Prediction('a', 1, [(1, 0.75), (0, 0.25)])
    assert (second.video_id, second.start, second.end) == ('b', 1, 2)


def test_files_of_a_test_run_are_beside_its_log(tiny_config, tmp_path):
    names = tmp_path / 'names.txt'
    names.write_text('dark\nbright\n')
    options = ['test_evaluator.type=twlv_mm.ClassMetric', f'test_evaluator.classes={names}']
    metrics = launch.main_test([tiny_config, '--work-dir', str(tmp_path / 'run'), '--cfg-options', *options])
    (results,) = (tmp_path / 'run').glob('*/results.json')
    in_percent = json.loads(results.read_text())['metrics']
    assert in_percent == {'class/mean_accuracy': pytest.approx(100 * metrics['class/mean_accuracy'])}
    table = read_csv(results.parent / 'class_accuracy.csv')
    assert [row[1:3] for row in table[1:]] == [['dark', '4'], ['bright', '3']]
    assert (results.parent / 'confusion_matrix.png').is_file()


@pytest.mark.parametrize('label', [[3], [-1], [0, 2], []])
def test_video_without_one_label_of_the_head_is_refused(label, tmp_path):
    labels = [[0], np.array(label, int)]
    with pytest.raises(ValueError, match=r'1 of 2 videos do not have one label within 0 \.\.\. 2, the first has \['):
        evaluate(ClassMetric(out_dir=str(tmp_path)), labels, [0, 1], 3)


@pytest.mark.parametrize('value', [torch.nan, torch.inf])
def test_scores_of_a_diverged_model_are_refused(value, tmp_path):
    sample = dict(pred_score=torch.tensor([0.5, value, 0.1]), gt_label=torch.tensor([1]))
    with pytest.raises(ValueError, match=r'a video of class \[1\] has NaN or infinite scores'):
        ClassMetric(out_dir=str(tmp_path)).process(None, [sample])


def test_names_that_do_not_fit_the_classes_are_refused(tmp_path):
    with pytest.raises(ValueError, match='there are 2 class names, but the model has 3 classes'):
        evaluate(ClassMetric(['run', 'sit'], str(tmp_path)), [0], [0], 3)


def test_picture_shows_shares_and_greys_classes_without_videos(tmp_path):
    path = tmp_path / 'matrix.png'
    draw_confusion_matrix(path, [[9, 9, 0], [0, 0, 0], [0, 0, 1]], ['costs $5', 'or $6', 'a' * 100])
    pixels = cv2.imread(str(path)).reshape(-1, 3).tolist()
    dark_blue, grey = pixels.count([107, 48, 8]), pixels.count([229, 229, 229])
    assert dark_blue > 1000
    assert grey > dark_blue  # a row of three cells, against one cell and the colour bar's end
    with pytest.raises(ValueError, match=r'has shape \(3, 3\), but there are 2 class names'):
        draw_confusion_matrix(path, np.eye(3, dtype=int), ['a', 'b'])
