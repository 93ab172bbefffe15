"""Classes of proposals from a video classifier's files."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from twlv_mm.localization.annotations import read_annotations
from twlv_mm.localization.average_precision import average_precision
from twlv_mm.localization.external_scores import ExternalScores

from ..payload import Call
from ..written import read_golden

CLASSES = ['run', 'jump', 'sit', 'fall']
SCORES = {'one': [0.1, 0.6, 0.0, 0.3], 'v_two': [1.5, 0.0, 0.25, 0.25], 'v_v_three': [0.0, 0.0, 0.0, 0.9]}
SEGMENTS, PROPOSALS = torch.tensor([[0.0, 1], [2, 5]]), torch.tensor([0.2, 0.8])


def write(folder, content=SCORES, name='scores.json'):
    path = folder / name
    if path.suffix == '.npz':
        np.savez(path, **content)
    elif path.suffix == '.pkl':
        path.write_bytes(pickle.dumps(content))
    else:
        path.write_text(json.dumps(content))
    return path


def by_name(scores):
    return {
        'results': {
            video_id: [dict(label=name, score=score) for name, score in zip(CLASSES, row, strict=True) if score][::-1]
            for video_id, row in scores.items()
        }
    }


def test_each_proposal_gets_the_best_classes_of_its_video(tmp_path):
    external = ExternalScores(write(tmp_path), score_norm='none')
    segments, scores, labels = external('one', SEGMENTS, PROPOSALS)
    assert labels.tolist() == [1, 3, 1, 3]
    assert segments.tolist() == [[2, 5], [2, 5], [0, 1], [0, 1]]
    torch.testing.assert_close(scores, torch.tensor([0.8 * 0.6, 0.8 * 0.3, 0.2 * 0.6, 0.2 * 0.3]).sqrt())
    assert labels.dtype == torch.int64
    assert scores.dtype == torch.float32
    assert external.num_classes == 4
    assert external('two', SEGMENTS[:0], PROPOSALS[:0])[0].shape == (0, 2)


def test_equal_scores_come_in_the_order_of_proposals_and_classes(tmp_path):
    external = ExternalScores(write(tmp_path, dict(a=[0.2, 0.4, 0.4, 0.4])), top_k=2)
    segments, _, labels = external('a', SEGMENTS, torch.tensor([0.5, 0.5]))
    assert segments.tolist() == [[0, 1], [0, 1], [2, 5], [2, 5]]
    assert labels.tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize('form', ['json', 'npz', 'pkl', 'by_name', 'columns'])
def test_all_forms_of_a_file_give_the_same(tmp_path, form):
    expected = ExternalScores(write(tmp_path))
    arrays = {video_id: np.array(row, np.float32) for video_id, row in SCORES.items()}
    columns = {'class': CLASSES[::-1], 'results': {video_id: row[::-1] for video_id, row in SCORES.items()}}
    name, content = dict(
        json=('a.json', SCORES), npz=('a.npz', arrays), pkl=('a.pkl', arrays),
        by_name=('a.json', by_name(SCORES)), columns=('a.json', columns),
    )[form]  # fmt: skip
    external = ExternalScores(write(tmp_path, content, name), CLASSES)
    for video_id in SCORES:
        found = external(video_id, SEGMENTS, PROPOSALS)
        for values, other in zip(found, expected(video_id, SEGMENTS, PROPOSALS), strict=True):
            torch.testing.assert_close(values, other)


def test_scores_are_normalized_as_chosen(tmp_path):
    path = write(tmp_path, dict(a=[0.2, 0.6, -0.2, 0.0], b=[0.2, 0.6, 0.0, 0.0]))
    one = torch.ones(1)

    def found(norm, video_id):
        return ExternalScores(path, score_norm=norm)(video_id, SEGMENTS[:1], one)[1].square()

    torch.testing.assert_close(found('l1', 'a'), torch.tensor([0.75, 0.25]))
    softmax = torch.tensor([0.2, 0.6, -0.2, 0.0]).softmax(dim=0)[[1, 0]]
    torch.testing.assert_close(found('softmax', 'a'), softmax)
    torch.testing.assert_close(found('published', 'a'), softmax)
    torch.testing.assert_close(found('published', 'b'), torch.tensor([0.6, 0.2]))
    path = write(tmp_path, dict(b=[0.2, 0.6, 0.0, 0.0]))
    torch.testing.assert_close(found('none', 'b'), torch.tensor([0.6, 0.2]))


def test_video_ids_match_with_and_without_their_prefix(tmp_path):
    external = ExternalScores(write(tmp_path, {**SCORES, 'v_five': [0, 1, 0, 0], 'five': [1, 0, 0, 0]}))
    for video_id, label in (('one', 1), ('v_one', 1), ('two', 0), ('v_three', 3), ('v_five', 1), ('five', 0)):
        assert external(video_id, SEGMENTS, PROPOSALS)[2][0] == label


def test_video_without_scores_is_named(tmp_path):
    external = ExternalScores(write(tmp_path))
    with pytest.raises(ValueError, match=r'scores\.json has no scores of four'):
        external('four', SEGMENTS, PROPOSALS)


@pytest.mark.parametrize(
    ('content', 'options', 'error'),
    [
        (dict(a=[1, 2, 3]), dict(classes=CLASSES), 'a has scores of 3 classes, but there are 4'),
        (dict(a=[1, 2], b=[1, 2, 3]), {}, 'b has scores of 3 classes, a of 2'),
        (dict(a=[0.5, float('nan')]), {}, 'NaN is not a json number'),
        (dict(a=[0.5, 'x']), {}, r"the scores of a: \[0.5, 'x'\] is not a list of numbers"),
        (dict(a=[[0.5], [1]]), {}, 'the scores of a: .* is not a list of numbers'),
        (
            dict(a=[0.5, -0.5]),
            dict(score_norm='none'),
            "a has scores below 0, which have no root with score_norm='none'",
        ),
        (dict(a=[1, 2], b=[-1, -2]), {}, 'b has no score above 0'),
        (dict(a=[1, 2]), dict(top_k=3), 'top_k=3 classes cannot be taken from the 2'),
        (dict(a=[1, 2]), dict(top_k=0), 'top_k=0'),
        (dict(a=[1, 2]), dict(score_norm='max'), "score_norm must be .* 'max'"),
        ({}, {}, 'has no scores by video'),
        ([[1, 2]], {}, 'has no scores by video'),
        (by_name(SCORES), {}, 'give classes'),
        (by_name(SCORES), dict(classes=CLASSES[:3]), r"scores of .*: 'fall' is not among the 3"),
        ({'results': {'a': [dict(label='run')]}}, dict(classes=CLASSES), "the scores of a: 'score' is missing"),
        ({'results': {'a': [dict(label='run', score=1)] * 2}}, dict(classes=CLASSES), 'a class has several scores'),
        ({'results': {'a': [0.5] * 4}}, dict(classes=CLASSES), 'the scores of a: '),
        ({'class': CLASSES, 'results': {'a': [1, 2]}}, dict(classes=CLASSES), 'the scores of a: '),
        (dict(a=[0.5, True]), {}, r'the scores of a: \[0.5, True\] is not'),
        (dict(a=['1', '2']), {}, 'is not a list of numbers'),
        ({'results': {'a': [dict(label='run', score='1')]}}, dict(classes=CLASSES), "'1' is not a finite number"),
        ({'': [1, 2]}, {}, "the id of a video: ''"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, content, options, error):
    with pytest.raises(ValueError, match=error):
        ExternalScores(write(tmp_path, content), **options)


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'classifier scores .*none\.json'):
        ExternalScores(tmp_path / 'none.json')
    for name in ('broken.json', 'broken.npz', 'scores.txt'):
        (tmp_path / name).write_text('{"a": [0.1')
        with pytest.raises(ValueError, match=f'{name} cannot be read as classifier scores'):
            ExternalScores(tmp_path / name)
    np.save(tmp_path / 'one.npy', np.ones(4))
    (tmp_path / 'one.npy').rename(tmp_path / 'one.npz')
    with pytest.raises(ValueError, match=r'one\.npz cannot be read as classifier scores'):
        ExternalScores(tmp_path / 'one.npz')


def test_pickle_payload_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match=r'scores\.pkl.*system'):
        ExternalScores(write(tmp_path, dict(a=Call(os.system, 'touch ran')), 'scores.pkl'))
    assert not (tmp_path / 'ran').exists()


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='the environment variable TWLV_SHARED is not set')
@pytest.mark.parametrize(('norm', 'points'), [('l1', 64.13), ('none', 62.95), ('softmax', 61.86), ('published', 53.79)])
def test_normalization_decides_the_score_on_thumos14(norm, points):
    folder = Path(os.environ['TWLV_SHARED']) / 'annotations/thumos14'
    annotations = read_annotations(folder / 'thumos14.json', 'Test')
    external = ExternalScores(folder / 'thumos14_cls_scores.json', annotations.classes, score_norm=norm)
    golden, _ = read_golden('thumos14_map')
    segments, scores = torch.stack([golden['in/t_start'], golden['in/t_end']], dim=1), golden['in/score']
    predictions = {}
    for video_id in np.unique(golden['in/video_id']):
        (places,) = np.nonzero(golden['in/video_id'] == video_id)
        best = scores[places].argsort(descending=True)[:200]  # as many proposals as suppression leaves
        found = external(video_id, segments[places][best], scores[places][best])
        predictions[video_id] = tuple(values.numpy() for values in found)
    truth = {video_id: (video.segments, video.labels) for video_id, video in annotations.videos.items()}
    precision = average_precision(predictions, truth, 20, [0.3, 0.4, 0.5, 0.6, 0.7]).mean(axis=0)
    assert 100 * precision.mean() == pytest.approx(points, abs=0.006)
    if norm == 'published':
        np.testing.assert_allclose(precision, golden['out/map_external'], atol=1e-4)
