"""What a test got wrong is found and shown, whatever the files are called."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from tests.chromium import Chromium, find_chromium
from twlv_mm.recognition.predictions import Prediction, read_predictions, write_predictions
from twlv_mm.report.errors import write_errors
from twlv_mm.report.errors.cases import NOTHING, Case
from twlv_mm.report.errors.loading import find_errors
from twlv_mm.report.errors.matching import f1_score, interval_iou, match, threshold_of_best_f1
from twlv_mm.report.errors.ranking import confused_pairs, longest_missed, most_confident_errors
from twlv_mm.segmentation.predictions import video_entry
from twlv_mm.segmentation.predictions import write_predictions as write_segmentation
from twlv_mm.video import write_video

from .records import record, write

EVIL = '</script><script>alert(1)</script>'
CLASSES = ['run', EVIL, 'sit & wait']


def recognized(folder, *samples, name='run'):
    """A test run of recognition: of each sample the video, the true class and the scores of all classes."""
    path = write(folder, name, record('recognition_linear', 'mine', {'acc/top1': 50.0}))
    predictions = []
    for video_id, truth, scores in samples:
        best = sorted(enumerate(scores), key=lambda pair: -pair[1])
        predictions.append(Prediction(video_id, truth, best))
    write_predictions(path.with_name('predictions.json'), CLASSES, predictions)
    return path


def localized(folder, truth, results):
    path = write(folder, 'run', record('localization', 'mine', dict(mAP=50.0)))
    content = dict(results=results, external_data=dict(truth=truth))
    path.with_name('predictions.json').write_text(json.dumps(content))
    return path


def action(label, start, end, **score):
    return dict(label=label, segment=[start, end], **score)


def test_each_annotated_action_is_explained_once():
    true, labels = np.array([[0, 10], [20, 30], [40, 50], [60, 70.0]]), np.array([0, 1, 0, 1])
    found = np.array([[0, 9], [0, 10], [21, 30], [40, 43], [80, 90.0]])
    guesses, scores = np.array([0, 0, 0, 0, 1]), np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    kinds = [one.kind for one in match(interval_iou(found, true), guesses, scores, labels)]
    assert kinds == ['correct', 'duplicate', 'wrong class', 'imprecise', 'false positive', 'missed']
    assert f1_score(Counter(kinds)) == pytest.approx(2 / (len(found) + len(true)))
    assert interval_iou(found / 100, true / 100)[0, 0] == pytest.approx(0.9)


def test_threshold_is_where_f1_is_highest():
    assert (
        threshold_of_best_f1(np.array([True, True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.6, 0.5]), 3) == 0.6
    )
    assert threshold_of_best_f1(np.array([True, True]), np.array([0.9, 0.8]), 2) == 0.8
    # Equal scores pass a threshold together.
    assert threshold_of_best_f1(np.array([True, False, False]), np.array([0.9, 0.5, 0.5]), 1) == 0.9
    assert threshold_of_best_f1(np.zeros(0, bool), np.zeros(0), 3) == 0


def test_pairs_and_most_confident_errors_of_recognition(tmp_path):
    samples = [('a', 0, (0.1, 0.8, 0.1)), ('b', 0, (0.3, 0.6, 0.1)), ('c', 1, (0.0, 0.9, 0.1)), ('d', 2, (0.95, 0, 0))]
    run, errors, others = find_errors(recognized(tmp_path, *samples))
    assert errors.matrix.tolist() == [[0, 2, 0], [0, 1, 0], [1, 0, 0]]
    first, second = confused_pairs(errors)
    assert (first.true, first.predicted, first.amount, first.share) == ('run', EVIL, 2, 1)
    assert [case.video_id for case in first.cases] == ['a', 'b']
    assert first.right.video_id == 'c'
    assert second.right is None  # nothing was rightly found to be running
    assert [case.video_id for case in most_confident_errors(errors)] == ['d', 'a', 'b']
    assert (run.record['dataset'], others) == ('mine', [])


def test_missed_and_invented_actions_are_confused_with_nothing(tmp_path):
    truth = dict(a=[action('run', 0, 10), action('sit', 20, 30)], b=[action('run', 5, 9)])
    results = dict(
        a=[action('run', 0, 9, score=0.8), action('run', 50, 60, score=0.7), action('sit', 0, 9, score=0.1)],
        b=[action('sit', 5, 9, score=0.6)],
    )
    _, errors, _ = find_errors(localized(tmp_path, truth, results), min_score=0.5)
    assert errors.classes == ['run', 'sit', NOTHING]
    assert errors.matrix.tolist() == [[1, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert errors.kinds == {'correct': 1, 'false positive': 1, 'missed': 1, 'wrong class': 1}
    assert [one.video_id for one in errors.worst] == ['b', 'a']
    assert [(case.true, case.start, case.end) for case in longest_missed(errors)] == [('sit', 20, 30)]
    _, errors, _ = find_errors(tmp_path)
    assert errors.notes[0].startswith('Predictions count from a score of 0.80 (where F1 is highest).')


def test_longest_missed_actions_are_shown_one_of_each_video_first():
    lengths = (('a', 7), ('a', 9), ('b', 5), ('c', 8))
    mistakes = [Case(video_id, 'run', None, None, start=0, end=length) for video_id, length in lengths]
    shown = longest_missed(SimpleNamespace(mistakes=mistakes), most=3)
    assert [(case.video_id, case.end) for case in shown] == [('a', 9), ('c', 8), ('b', 5)]


def test_segmentation_is_counted_in_seconds(tmp_path):
    path = write(tmp_path, 'run', record('segmentation', 'mine', dict(mF1=50.0)))
    truth, predicted = np.repeat([0, 1, -100, 1], 20), np.repeat([0, 0, 0, 1], 20)
    entries = dict(a=video_entry(10, truth, predicted), b=video_entry(10, truth, truth[::-1] * 0))
    write_segmentation(path.with_name('predictions.json'), ['cut', 'stir'], ['cut'], entries)
    _, errors, _ = find_errors(tmp_path)
    assert errors.matrix.tolist() == [[4, 0], [6, 2]]
    assert [(one.video_id, one.summary[:6]) for one in errors.worst] == [('b', '33.3 %'), ('a', '66.7 %')]
    assert [(case.video_id, case.start, case.end) for case in most_confident_errors(errors)] == [
        ('a', 2, 4), ('b', 2, 4), ('b', 6, 8),
    ]  # fmt: skip
    with pytest.raises(ValueError, match='--min-score does not apply to segmentation'):
        find_errors(tmp_path, min_score=0.5)


def test_folds_of_a_cross_validation_are_shown_together(tmp_path):
    whole = record('segmentation', 'mine', dict(mF1=50.0), folds={'1': {}, '2': {}}, protocol=dict(folds=[1, 2]))
    results = write(tmp_path, 'work', whole)
    for fold, predicted, classes in ((1, [0, 1, 1, 1], ['cut', 'stir']), (2, [1, 1, 0, 0], ['stir', 'cut'])):
        for date in ('a', 'b'):  # the latest run of a fold counts
            one = record(
                'segmentation', 'mine', dict(mF1=50.0), protocol=dict(fold=fold), date=f'2025-0{fold}-01T00:00'
            )
            path = write(tmp_path, f'work/fold{fold}/{date}', one)
            entries = {f'v{fold}{date}': video_entry(1, np.array([0, 0, 1, 1]), np.array(predicted))}
            write_segmentation(path.with_name('predictions.json'), classes, [], entries)
    for asked in (tmp_path, results):
        run, errors, others = find_errors(asked)
        assert run.path == results
        assert errors.classes == ['cut', 'stir']
        assert errors.matrix.tolist() == [[1, 3], [2, 2]]
        assert [one.video_id for one in errors.worst] == ['v2b', 'v1b']
        assert [note[:7] for note in errors.notes] == ['Fold 1:', 'Fold 2:']
    assert others == []


def test_boxes_are_counted_once_for_each_action(tmp_path):
    path = write(tmp_path, 'run', record('detection', 'mine', {'mAP@0.5': 50.0}, protocol=dict(offset_seconds=900)))
    path.with_name('class_ap.csv').write_text('id,class,truth,predictions,AP@0.5\n3,stand,1,1,1\n7,talk,1,1,1\n')
    box, other = '0.1,0.1,0.5,0.5', '0.6,0.6,0.9,0.9'
    path.with_name('truth.csv').write_text(f'v,0902,{box},3\nv,0902,{box},7\nv,0903,{other},3\n')
    found = [f'v,0902,{box},3,0.9', f'v,0902,{box},7,0.8', f'v,0903,{other},7,0.7', f'v,0904,{box},3,0.9']
    path.with_name('predictions.csv').write_text('\n'.join(found))
    _, errors, _ = find_errors(tmp_path, min_score=0.5)
    assert errors.matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]  # 904 is not annotated
    (mistake,) = errors.mistakes
    assert (mistake.true, mistake.predicted, mistake.start) == ('stand', 'talk', 3)
    assert [one.lines for one in mistake.boxes()] == [('talk 0.70',), ('stand',)]
    assert [one.case.start for one in errors.worst] == [3]


def test_what_was_written_is_read_and_damage_is_named(tmp_path):
    path, one = tmp_path / 'predictions.json', Prediction('a/b', 1, [(1, 0.75), (0, 0.25)], 1.5, 3.0)
    write_predictions(path, ['x', 'y'], [one])
    assert read_predictions(path) == (['x', 'y'], [one])
    text = path.read_text()
    for damaged, said in (((': 1,', ': 7,'), '7'), (('0.75', '"0.75"'), 'score'), (('a/b', ''), 'id of a video')):
        assert damaged[0] in text
        path.write_text(text.replace(*damaged, 1) if damaged[0] != ': 1,' else text.replace('"truth": 1', '"truth": 7'))
        with pytest.raises(ValueError, match=f'is not the predictions.json that a test of recognition .*{said}'):
            read_predictions(path)


def test_a_run_without_predictions_is_reported_as_needing_a_new_test(tmp_path):
    with pytest.raises(FileNotFoundError, match='no results.json with a file of predictions beside it'):
        find_errors(tmp_path)
    write(tmp_path, 'old', record('recognition_linear', 'mine', {'acc/top1': 50.0}))
    with pytest.raises(FileNotFoundError, match='the test of .*old/results.json wrote none'):
        find_errors(tmp_path)


def test_the_newest_of_several_runs_is_shown_and_the_page_names_the_others(tmp_path):
    old = recognized(tmp_path, ('a', 0, (0.1, 0.8, 0.1)), name='old')
    new = recognized(tmp_path, ('a', 0, (0.8, 0.1, 0.1)), name='new')
    new.write_text(new.read_text().replace('2026-01-01', '2026-01-02'))
    page, errors, said = write_errors(tmp_path)
    assert (page, errors.mistakes) == (new.with_name('errors.html'), [])
    assert said == [f'{old} is an older run, not shown']
    assert write_errors(old)[0].parent == old.parent


def test_the_page_shows_frames_and_runs_no_script_of_a_name(tmp_path):
    program = find_chromium()
    if program is None:
        pytest.skip('there is no Chromium to open the page in (Debian: apt-get install chromium)')
    frames = [np.full((32, 48, 3), shade, np.uint8) for shade in range(0, 160, 20)]
    (tmp_path / 'videos').mkdir()
    for name in ('a', 'b'):
        write_video(tmp_path / f'videos/{name}.mp4', frames, 8, 8)
    recognized(tmp_path, ('a', 0, (0.1, 0.8, 0.1)), ('b', 1, (0.1, 0.8, 0.1)), ('gone<b>', 2, (0.9, 0, 0.1)))
    page, _, said = write_errors(tmp_path, tmp_path / 'videos')
    assert said[0].startswith('no frames of gone<b>: ')
    with Chromium(program, str(tmp_path / 'profile')) as browser:
        browser.open(page.as_uri())
        assert browser.run("document.querySelector('#pairs').parentElement.querySelectorAll('img').length") == 2
        assert browser.run('[...document.images].every(one => one.complete && one.naturalWidth > 200)')
        assert EVIL in browser.run("document.querySelector('.pair h3').innerText")
        browser.run("filter.value = 'gone'; filter.dispatchEvent(new Event('input'))")
        assert browser.run("[...document.querySelectorAll('.pair')].filter(one => !one.hidden).length") == 1
        assert browser.urls() == [page.as_uri(), *(url for url in browser.urls() if url.startswith('data:'))]
        assert browser.complaints() == []
