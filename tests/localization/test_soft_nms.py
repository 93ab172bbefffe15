"""Suppression of overlapping segments: the compiled code's results without compiled code."""

import numpy as np
import pytest
import torch

from twlv_mm.localization.soft_nms import suppress

from ..written import read_golden

MODES = [(method, per_class) for method in ('soft', 'hard') for per_class in (False, True)]


def candidates(seed, count, num_classes=3, levels=None):
    """Random segments; with ``levels``, scores of so many different values."""
    random = np.random.default_rng(seed)
    starts = random.uniform(0, 50, count)
    scores = random.random(count) if levels is None else random.integers(1, levels + 1, count) / levels
    segments = np.stack([starts, starts + random.exponential(6, count)], axis=1)
    labels = torch.from_numpy(random.integers(0, num_classes, count))
    return torch.from_numpy(segments).float(), torch.from_numpy(scores).float(), labels


def iou(one, other):
    shared = max(min(one[1], other[1]) - max(one[0], other[0]), 0)
    return shared / ((one[1] - one[0]) + (other[1] - other[0]) - shared)


def suppressed_by_definition(segments, scores, labels, method, per_class, sigma, iou_threshold, min_score, count):
    """Places and scores of the kept, one candidate at a time."""
    segments, labels, left = segments.double().tolist(), labels.tolist(), dict(enumerate(scores.double().tolist()))
    kept = []
    while left and len(kept) < count:
        best = max(left, key=lambda place: (left[place], -place))
        score = left.pop(best)
        if score < min_score:
            break
        kept.append((best, score))
        for place in list(left):
            overlap = iou(segments[best], segments[place])
            if per_class and labels[place] != labels[best]:
                continue
            if method == 'soft':
                left[place] *= np.exp(-(overlap**2) / sigma)
            elif overlap >= iou_threshold:
                left.pop(place)
    return kept


@pytest.mark.parametrize(('method', 'per_class'), MODES)
def test_result_is_that_of_the_compiled_reference(method, per_class):
    golden, _ = read_golden('nms_1d')
    options = dict(sigma=0.5, min_score=1e-3, max_segments=100, iou_threshold=0.1 if method == 'soft' else 0.5)
    found = suppress(
        golden['in/segments'], golden['in/scores'], golden['in/labels'],
        method=method, per_class=per_class, voting_threshold=0.75, **options,
    )  # fmt: skip
    name = f'out/{method}_per_class' if per_class else f'out/{method}'
    torch.testing.assert_close(found[0], golden[f'{name}_segments'], rtol=5e-7, atol=1e-6)
    torch.testing.assert_close(found[1], golden[f'{name}_scores'], rtol=0, atol=1e-6)
    assert found[2].equal(golden[f'{name}_labels'])


@pytest.mark.parametrize(('method', 'per_class'), MODES)
@pytest.mark.parametrize('levels', [None, 4])
def test_result_is_that_of_the_definition_also_for_equal_scores(method, per_class, levels):
    segments, scores, labels = candidates(0, 150, levels=levels)
    options = dict(sigma=0.3, iou_threshold=0.4, min_score=0.05)
    expected = suppressed_by_definition(segments, scores, labels, method, per_class, **options, count=60)
    found = suppress(
        segments, scores, labels, method=method, per_class=per_class, max_segments=60, voting_threshold=0, **options
    )
    places = [place for place, _ in expected]
    assert 20 < len(places) <= 60
    assert found[0].equal(segments[places])
    assert found[2].equal(labels[places])
    torch.testing.assert_close(found[1], torch.tensor([score for _, score in expected]).float(), rtol=0, atol=1e-6)


@pytest.mark.parametrize('per_class', [False, True])
def test_of_equal_candidates_the_first_is_kept(per_class):
    segments = torch.tensor([[5.0, 6], [0, 1], [0, 1], [5, 6]])
    found = suppress(
        segments, torch.full((4,), 0.5), torch.tensor([1, 0, 0, 1]), method='hard', per_class=per_class, max_segments=2
    )
    assert found[0].tolist() == [[5, 6], [0, 1]]
    assert found[2].tolist() == [1, 0]


def test_vote_is_the_mean_of_the_overlapping_weighted_by_their_scores():
    segments = torch.tensor([[0.0, 10], [1, 10], [4, 14], [30, 40]])
    scores, labels = torch.tensor([0.9, 0.3, 0.2, 0.5]), torch.zeros(4, dtype=torch.int64)
    options = dict(method='hard', iou_threshold=0.3, per_class=False)
    found = suppress(segments, scores, labels, voting_threshold=0.8, **options)
    torch.testing.assert_close(found[0], torch.tensor([[0.25, 10], [30, 40]]))
    assert suppress(segments, scores, labels, voting_threshold=0, **options)[0].tolist() == [[0, 10], [30, 40]]


def test_segments_without_length_are_kept_as_they_are():
    segments, scores = torch.tensor([[3.0, 3], [3, 3], [2, 4]]), torch.tensor([0.9, 0.8, 0.7])
    found = suppress(segments, scores, torch.zeros(3, dtype=torch.int64), per_class=False)
    assert found[0].equal(segments)
    assert found[1].equal(scores)


@pytest.mark.parametrize(('method', 'per_class'), MODES)
def test_exact_repetitions_do_not_come_back(method, per_class):
    segments, scores, labels = (values.repeat_interleave(5, dim=0) for values in candidates(0, 10))
    options = dict(sigma=1e-4, min_score=0.01, iou_threshold=0.99, method=method, per_class=per_class)
    found = suppress(segments, scores, labels, voting_threshold=0, **options)
    assert len(found[0]) == len(found[0].unique(dim=0))
    assert found[1].isfinite().all()


@pytest.mark.parametrize('per_class', [False, True])
def test_without_a_least_score_every_candidate_comes_once(per_class):
    segments, scores, labels = candidates(0, 40)
    segments, scores = segments.repeat(2, 1), torch.cat([scores, scores / 2])
    found = suppress(
        segments, scores, labels.repeat(2), sigma=1e-4, min_score=0, per_class=per_class, voting_threshold=0
    )
    assert sorted(found[0].tolist()) == sorted(segments.tolist())


def test_nothing_in_is_nothing_out():
    for candidate_count, min_score in ((0, 0.1), (20, 2)):
        segments, scores, labels = suppress(*candidates(0, candidate_count), min_score=min_score)
        assert segments.shape == (0, 2)
        assert scores.shape == labels.shape == (0,)
        assert (segments.dtype, scores.dtype, labels.dtype) == (torch.float32, torch.float32, torch.int64)


def test_input_is_left_as_it_is():
    given = candidates(0, 50)
    copies = [values.clone() for values in given]
    suppress(*given, per_class=False)
    assert all(values.equal(copy) for values, copy in zip(given, copies, strict=True))


@pytest.mark.parametrize(
    ('place', 'value', 'error'),
    [
        (0, torch.tensor([[0.0, 1], [2, 1.5]]), r'candidate 1 ends before it starts: \[2'),
        (0, torch.tensor([[0.0, 1], [2, torch.nan]]), 'candidate 1 is .* must be finite'),
        (1, torch.tensor([torch.inf, 0]), 'candidate 0 is .* must be finite'),
        (1, torch.zeros(3), r'the same N candidates; they are \(2, 2\), \(3,\) and \(2,\)'),
        (0, torch.zeros(2, 3), r'they are \(2, 3\)'),
    ],
)
def test_invalid_candidates_are_refused(place, value, error):
    arguments = [torch.tensor([[0.0, 1], [2, 3]]), torch.ones(2), torch.zeros(2, dtype=torch.int64)]
    arguments[place] = value
    with pytest.raises(ValueError, match=error):
        suppress(*arguments)


@pytest.mark.parametrize(('option', 'error'), [(dict(method='linear'), "it is 'linear'"), (dict(sigma=0), 'sigma')])
def test_unknown_options_are_refused(option, error):
    with pytest.raises(ValueError, match=error):
        suppress(*candidates(0, 3), **option)
