"""Precision of the nearest videos."""

import numpy as np
import pytest

from twlv_mm.embeddings import write_embeddings
from twlv_mm.search import precision_at

from .conftest import unit


def save(folder, angles):
    for number, vector in enumerate(unit(*angles)):
        write_embeddings(folder, f'v{number}', vector[None], np.array([[0, 1.0]]), dict(duration=1.0, num_frames=8))
    return folder


def test_share_of_the_same_class_among_the_nearest_without_the_query(tmp_path):
    #                          a      a      a      b       b       b, which lies among the a
    folder = save(tmp_path, [0, 10, 25, 120, 130, 12])
    labels = {f'v{number}': label for number, label in enumerate([0, 0, 0, 1, 1, 1])}
    # nearest two:       10 12 | 12 0 | 12 10 | 130 25 | 120 25 | 10 0
    right = [0.5, 0.5, 0.5, 0.5, 0.5, 0]
    precision, chance = precision_at(folder, labels, k=2)
    assert precision == pytest.approx(np.mean(right))
    assert chance == pytest.approx(2 / 5)


def test_copies_do_not_count_the_query_itself(tmp_path):
    folder = save(tmp_path, [40] * 8)
    labels = {f'v{number}': number for number in range(8)}
    assert precision_at(folder, labels, k=2)[0] == 0


def test_video_without_a_class_and_too_few_videos_are_refused(tmp_path):
    folder = save(tmp_path, [0, 10, 20])
    with pytest.raises(ValueError, match='1 of 3 videos have no class: v2'):
        precision_at(folder, dict(v0=0, v1=1), k=1)
    with pytest.raises(ValueError, match='3 videos do not have 3 neighbours'):
        precision_at(folder, dict(v0=0, v1=1, v2=0), k=3)
