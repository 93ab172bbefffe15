"""Sets are divided so that every part has its share of every class, and no group is in two parts."""

from collections import Counter

import pytest

from twlv_mm.records import split_groups


def of_classes(**counts):
    return {f'{label}{number}': {label: 1} for label, count in counts.items() for number in range(count)}


def parts_of(groups, shares, seed=0):
    parts = [Counter() for _ in shares]
    for name, part in split_groups(groups, shares, seed).items():
        parts[part].update(groups[name])
    return parts


def test_every_class_has_its_share_however_rare():
    train, val = parts_of(of_classes(rare=2, some=6, many=100), (0.8, 0.2))
    assert train == dict(rare=1, some=5, many=80)
    assert val == dict(rare=1, some=1, many=20)


def test_class_with_fewer_videos_than_parts_is_in_the_largest():
    train, val, test = parts_of(of_classes(two=2, three=3, many=40), (0.7, 0.15, 0.15))
    assert (train['two'], val['two'] + test['two']) == (1, 1)
    assert (train['three'], val['three'], test['three']) == (1, 1, 1)


def test_folds_are_of_like_size():
    folds = parts_of(of_classes(a=6, b=6, c=6), (0.2,) * 5)
    assert sorted(fold.total() for fold in folds) == [3, 3, 4, 4, 4]
    assert all(set(fold) == {'a', 'b', 'c'} for fold in folds)


def test_groups_of_several_classes_leave_no_class_out():
    groups = {f'person {n}': {label: 1 + (n * place) % 3 for place, label in enumerate('abcdef')} for n in range(7)}
    groups |= {'only d': {'d': 9}, 'only a': {'a': 4}}
    for seed in range(5):
        train, val = parts_of(groups, (0.75, 0.25), seed)
        assert set(train) == set(val) == set('abcdef')


@pytest.mark.parametrize('order', [sorted, lambda names: sorted(names, reverse=True)])
def test_seed_alone_decides(order):
    groups = of_classes(a=30, b=20)
    shuffled = {name: groups[name] for name in order(groups)}
    assert split_groups(shuffled, (0.5, 0.5), 3) == split_groups(groups, (0.5, 0.5), 3)
    assert split_groups(groups, (0.5, 0.5), 4) != split_groups(groups, (0.5, 0.5), 3)
