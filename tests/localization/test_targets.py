"""Each point learns the action that the paper says."""

import pytest
import torch

from twlv_mm.localization.targets import assign_targets, make_points

POINTS = make_points([32, 16], [1, 2], [(0, 4), (4, 10000)])


def assign(*actions, radius=1.5):
    segments = torch.tensor([action[:2] for action in actions])
    return assign_targets(POINTS, segments, torch.tensor([action[2] for action in actions]), 3, radius)


def learning(classes):
    """Level and place of the points that learn something."""
    chosen = classes.any(dim=1)
    return [(int(s), float(p)) for s, p, c in zip(POINTS.strides, POINTS.places, chosen, strict=True) if c]


def test_points_are_on_the_grid():
    assert POINTS.places[:3].tolist() == [0, 1, 2]
    assert POINTS.places[32:35].tolist() == [0, 2, 4]
    assert POINTS.ranges[0].tolist() == [0, 4]
    assert POINTS.ranges[-1].tolist() == [4, 10000]


def test_only_points_near_the_centre_learn():
    classes, offsets = assign((10.0, 14.0, 1))
    assert learning(classes) == [(1, 11), (1, 12), (1, 13)]
    assert offsets[11].tolist() == [1, 3]
    assert classes[11].tolist() == [0, 1, 0]


def test_a_larger_radius_takes_every_point_inside_but_not_the_ends():
    assert learning(assign((10.0, 13.0, 0), radius=9.0)[0]) == [(1, 11), (1, 12)]


def test_long_actions_belong_to_the_coarse_level_and_offsets_are_in_strides():
    classes, offsets = assign((4.0, 24.0, 2))
    assert learning(classes) == [(2, 12), (2, 14), (2, 16)]
    assert offsets[32 + 6].tolist() == [4, 6]


@pytest.mark.parametrize('order', [1, -1])
def test_the_shortest_action_wins(order):
    classes, offsets = assign(*[(10.0, 14.0, 0), (11.0, 13.0, 1)][::order])
    assert classes[12].tolist() == [0, 1, 0]
    assert offsets[12].tolist() == [1, 1]


def test_an_action_with_two_names_gives_both_classes():
    classes, _ = assign((10.0, 14.0, 0), (10.0, 14.0005, 2), (10.0, 14.0005, 2), (9.9, 14.1, 1))
    assert classes[12].tolist() == [1, 0, 1]


def test_no_action_gives_no_classes():
    classes, offsets = assign_targets(POINTS, torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64), 3, 1.5)
    assert classes.shape == (48, 3)
    assert offsets.shape == (48, 2)
    assert not classes.any()
