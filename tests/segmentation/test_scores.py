"""Scores of a segmented video: by definition, as published, and on the real labels of three datasets."""

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from twlv_mm.segmentation.scores import edit_score, score_video
from twlv_mm.segmentation.segments import segments_of

from ..written import read_golden

OVERLAPS = [0.1, 0.25, 0.5]
SETS = dict(GTEA=1, **{'50Salads': 4}, Breakfast=20)  # take every n-th video


def plain_segments(frames, background, short_end):
    """(label, start, end) of each segment that is no background."""
    segments, start = [], 0
    for place in range(1, len(frames) + 1):
        if place == len(frames) or frames[place] != frames[start]:
            if frames[start] not in background and frames[start] != -100:
                last = place == len(frames)
                segments.append((frames[start], start, place - 1 if last and short_end else place))
            start = place
    return segments


def plain_edit(one, other):
    table = [[max(i, j) if not i or not j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a != b))
    longer = max(len(one), len(other))
    return 1 - table[-1][-1] / longer if longer else 1.0


def plain_counts(predicted, true, overlap):
    """tp, fp, fn, a predicted segment at a time."""
    free, tp, fp = set(range(len(true))), 0, 0
    for label, start, end in predicted:
        best, best_iou = None, -np.inf
        for place, (other, true_start, true_end) in enumerate(true):
            shared, hull = min(end, true_end) - max(start, true_start), max(end, true_end) - min(start, true_start)
            iou = 0 if label != other else (shared / hull if hull else np.nan)
            # As numpy's argmax: NaN is the largest number of all.
            if best is None or iou > best_iou or (np.isnan(iou) and not np.isnan(best_iou)):
                best, best_iou = place, iou
        if best_iou >= overlap and best in free:
            free.remove(best)
            tp += 1
        else:
            fp += 1
    return tp, fp, len(free)


def plain_scores(steps, truth, subsampling, background, published):
    """(right frames, frames, edit, counts at each overlap), slowly."""
    frames = [label for label in steps for _ in range(subsampling)]
    if not published:
        frames = frames[: len(truth)]
    pairs = [(a, b) for a, b in zip(frames, truth, strict=False) if b != -100]
    frames = [-100 if place < len(truth) and truth[place] == -100 else label for place, label in enumerate(frames)]
    predicted, true = (plain_segments(labels, background, published) for labels in (frames, truth))
    edit = plain_edit([segment[0] for segment in predicted], [segment[0] for segment in true])
    counts = [plain_counts(predicted, true, overlap) for overlap in OVERLAPS]
    return sum(a == b for a, b in pairs), len(pairs), edit, counts


def counts_of(scores):
    """tp, fp, fn at each overlap."""
    tp = scores.hits.sum(axis=1)
    return np.stack([tp, scores.predicted.sum() - tp, scores.true.sum() - tp], axis=1).tolist()


def assert_equal_to_plain(steps, truth, num_classes, subsampling, background, published):
    options = dict(subsampling=subsampling, background=background, overlaps=OVERLAPS, published=published)
    found = score_video(steps, truth, num_classes, **options)
    right, total, edit, counts = plain_scores(steps.tolist(), truth.tolist(), subsampling, background, published)
    assert (found.correct.sum(), found.frames.sum()) == (right, total)
    assert found.edit == pytest.approx(edit, abs=1e-12)
    assert counts_of(found) == [list(line) for line in counts]


def with_errors(truth, num_classes, random):
    """Labels with moved boundaries and with segments that are renamed, left out, or put in."""
    frames = truth.copy()
    for _, start, end in segments_of(truth).tolist():
        error = random.integers(6)
        length = int(random.integers(1, max(end - start, 2)))
        if error == 0:
            frames[max(start - length, 0) : start] = truth[start]
        elif error == 1:
            frames[start:end] = random.integers(num_classes)
        elif error == 2:
            frames[start:end] = frames[start - 1]
        elif error == 3:
            frames[start : start + length] = random.integers(num_classes)
    return frames


def read_set(name):
    """Names of the classes, and labels of every n-th video, out of the archive."""
    archive = Path(os.environ['TWLV_SHARED']) / 'annotations' / 'tas' / f'{name}.tar.gz'
    with tarfile.open(archive) as file:
        members = sorted(file.getmembers(), key=lambda member: member.name)
        (mapping,) = (one for one in members if one.name.endswith('mapping.txt'))
        lines = file.extractfile(mapping).read().decode().splitlines()
        labels = {line.split()[1]: int(line.split()[0]) for line in lines}
        chosen = [one for one in members if '/groundTruth/' in one.name and one.name.endswith('.txt')][:: SETS[name]]
        # In the order of the archive: going back in it means to unpack it again.
        for member in sorted(chosen, key=lambda member: member.offset):
            words = file.extractfile(member).read().decode().split()
            yield labels, np.array([labels[word] for word in words])


def test_golden_videos_are_scored_as_published():
    golden, _ = read_golden('segmentation_metrics')
    for video in range(4):
        options = dict(background=[10], overlaps=OVERLAPS, published=True)
        scores = score_video(golden[f'in/pred_{video}'].numpy(), golden[f'in/gt_{video}'].numpy(), 11, **options)
        assert 100 * scores.edit == pytest.approx(float(golden[f'out/edit_{video}']), abs=1e-5)
        assert counts_of(scores) == [golden[f'out/tpfpfn{overlap}_{video}'].tolist() for overlap in (10, 25, 50)]


@pytest.mark.skipif('TWLV_SHARED' not in os.environ, reason='the environment variable TWLV_SHARED is not set')
@pytest.mark.parametrize('name', SETS)
def test_scores_of_real_labels_with_planted_errors_are_those_of_the_definition(name):
    random = np.random.default_rng(0)
    for labels, truth in read_set(name):
        background = [labels['background']] if 'background' in labels else []
        for subsampling, published in ((1, True), (2, False), (2, True), (3, False)):
            steps = with_errors(truth, len(labels), random)[::subsampling]
            assert_equal_to_plain(steps, truth, len(labels), subsampling, background, published)


@pytest.mark.parametrize('published', [False, True])
def test_scores_of_random_short_videos_are_those_of_the_definition(published):
    random = np.random.default_rng(1)
    for _ in range(400):
        truth = random.integers(0, 3, random.integers(1, 12))
        truth[random.random(len(truth)) < 0.1] = -100
        truth[0] = 1
        subsampling = int(random.integers(1, 4))
        steps = random.integers(0, 3, -(-len(truth) // subsampling))
        assert_equal_to_plain(steps, truth, 3, subsampling, [0], published)


def test_right_prediction_is_perfect_to_its_last_frame():
    truth = np.array([0, 0, 1, 1, 2])
    for subsampling in (1, 2):
        scores = score_video(truth[::subsampling], truth, 3, subsampling=subsampling, overlaps=[1.0])
        assert (scores.accuracy, scores.edit, scores.f1.tolist()) == (1, 1, [1])
    # Published: the true last segment ends where it starts, and the predicted one is a frame longer than it.
    assert score_video(truth, truth, 3, overlaps=[0.1], published=True).hits.tolist() == [[1, 1, 0]]
    assert score_video(truth[::2], truth, 3, subsampling=2, overlaps=[0.1], published=True).hits.sum() == 2


def test_true_segment_is_found_once():
    scores = score_video([1, 1, 0, 1, 1], [1, 1, 1, 1, 1], 2, overlaps=[0.4], background=[0])
    assert counts_of(scores) == [[1, 1, 0]]


def test_first_of_equally_near_true_segments_is_matched():
    # Two true segments, the first prediction as near to one as to the other; the second prediction is in the later one.
    true, predicted = '111000111', '001111101'
    scores = score_video([int(x) for x in predicted], [int(x) for x in true], 2, background=[0], overlaps=[0.1])
    assert counts_of(scores) == [[2, 0, 0]]


def test_background_is_of_accuracy_only():
    scores = score_video([0, 1, 1, 0], [0, 0, 1, 0], 2, background=[0], overlaps=[0.5])
    assert (scores.accuracy, scores.edit, scores.f1.tolist()) == (0.75, 1, [1])
    assert (scores.frames.tolist(), scores.true.tolist()) == ([3, 1], [0, 1])


@pytest.mark.parametrize('published', [False, True])
def test_video_of_background_alone_is_scored(published):
    options = dict(num_classes=2, background=[0], published=published)
    assert score_video([0, 0, 0], [0, 0, 0], **options).edit == 1
    scores = score_video([0, 1, 0], [0, 0, 0], **options)
    assert (scores.edit, counts_of(scores)) == (0, [[0, 1, 0]] * 3)
    assert np.isnan(scores.f1).all()
    scores = score_video([0, 0, 0], [0, 1, 0], **options)
    assert (scores.edit, counts_of(scores), scores.f1.tolist()) == (0, [[0, 0, 1]] * 3, [0, 0, 0])


def test_frames_without_a_label_count_nowhere():
    scores = score_video([0, 2, 2, 1], [0, -100, -100, 1], 3, overlaps=[0.5])
    assert (scores.accuracy, scores.edit, counts_of(scores)) == (1, 1, [[2, 0, 0]])
    scores = score_video([0, 1], [-100, -100], 3)
    assert np.isnan([scores.accuracy, scores.edit, *scores.f1]).all()
    assert scores.predicted.sum() == 0


def test_edit_score_counts_changes():
    assert edit_score([1, 2, 3], [1, 3]) == pytest.approx(2 / 3)
    assert edit_score([1, 2, 3, 4], [4, 1, 2, 3]) == pytest.approx(1 / 2)
    assert edit_score([], []) == 1
    assert edit_score([], [5]) == 0


def test_segments_cover_what_is_labelled():
    assert segments_of([]).shape == (0, 3)
    assert segments_of([-100]).shape == (0, 3)
    assert segments_of([3, 3, -100, 3, 1]).tolist() == [[3, 0, 2], [3, 3, 4], [1, 4, 5]]
