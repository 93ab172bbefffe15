"""Masks: how much they hide, where, and that a clip's mask is its own."""

import math

import pytest
import torch

from twlv_mm.pretraining import MultiBlockMask, RandomMask, SemanticMask, TubeMask

GRID = (8, 14, 14)
LENGTH = math.prod(GRID)
ALL = {
    'random': RandomMask(0.9),
    'tube': TubeMask(0.9),
    'short': MultiBlockMask(8, (0.15, 0.15)),
    'long': MultiBlockMask(2, (0.7, 0.7)),
    'semantic': SemanticMask(0.8, 'teacher'),
}


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def draw(mask, *seeds, grid=GRID):
    return mask(grid, generators(*seeds), torch.ones(len(seeds), math.prod(grid)))


@pytest.mark.parametrize('name', ALL)
@pytest.mark.parametrize('grid', [GRID, (1, 14, 14), (4, 4, 4)])
def test_no_patch_is_both_seen_and_predicted(name, grid):
    keep, masked = draw(ALL[name], 1, 2, 3, grid=grid)
    for seen, hidden in zip(keep.tolist(), masked.tolist(), strict=True):
        assert seen == sorted(set(seen))
        assert hidden == sorted(set(hidden))
        assert not set(seen) & set(hidden)
        assert 0 <= min(seen + hidden) <= max(seen + hidden) < math.prod(grid)
        assert seen
        assert hidden


@pytest.mark.parametrize('name', ['random', 'tube', 'semantic'])
def test_masks_of_a_ratio_leave_out_nothing(name):
    keep, masked = draw(ALL[name], 1, 2)
    assert keep.shape[1] + masked.shape[1] == LENGTH
    assert masked.shape[1] / LENGTH == pytest.approx(ALL[name].ratio, abs=0.01)


@pytest.mark.parametrize('name', ['random', 'tube', 'semantic'])
def test_a_clips_mask_does_not_depend_on_the_batch_it_is_in(name):
    together, alone = draw(ALL[name], 5, 6, 7), draw(ALL[name], 6)
    for batch, single in zip(together, alone, strict=True):
        assert torch.equal(batch[1], single[0])
    assert not torch.equal(together[0][0], together[0][1])


def test_tubes_hide_the_same_places_at_all_times():
    keep, _ = draw(ALL['tube'], 1)
    places = keep.view(GRID[0], -1) - torch.arange(GRID[0])[:, None] * GRID[1] * GRID[2]
    assert (places == places[0]).all()


@pytest.mark.parametrize('name', ['short', 'long'])
def test_blocks_of_vjepa_hide_whole_columns_of_time_and_most_of_the_clip(name):
    hidden = torch.zeros(16, LENGTH)
    keep, masked = draw(ALL[name], *range(16))
    hidden.scatter_(1, masked, 1)
    columns = hidden.view(16, GRID[0], -1).mean(1)
    # V-JEPA's paper says about 90 % for its two masks together; what is not a whole column is the surplus.
    assert 0.7 < 1 - keep.shape[1] / LENGTH < 0.97
    assert (columns > 0).float().mean() < 1
    full = MultiBlockMask(1, (0.25, 0.25), aspect=(1.0, 1.0))(GRID, generators(0))[1]
    rows = sorted({int(place) % 196 // 14 for place in full[0]})
    assert len(full[0]) == 8 * 7 * 7
    assert rows == list(range(rows[0], rows[0] + 7))


def test_semantic_mask_shows_what_the_teacher_looks_at_in_each_frame():
    attention = torch.full(GRID, 1e-9)
    attention[:, 3:7, 3:7] = 1
    keep, _ = ALL['semantic'](GRID, generators(0), attention.flatten()[None])
    seen = torch.zeros(LENGTH).scatter_(0, keep[0], 1).view(GRID)
    assert (seen[:, 3:7, 3:7] == 1).all()
    assert len(seen.sum((1, 2)).unique()) == 1


def test_masks_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match='between 0 and 1'):
        RandomMask(1.0)
    with pytest.raises(ValueError, match='aspect'):
        MultiBlockMask(8, (0.15, 0.15), aspect=(2.0, 1.0))
    with pytest.raises(ValueError, match='always cover'):
        draw(MultiBlockMask(4, (1.0, 1.0), aspect=(1.0, 1.0)), 0)
    with pytest.raises(ValueError, match='cannot be masked'):
        draw(RandomMask(0.5), 0, grid=(1, 1, 1))
