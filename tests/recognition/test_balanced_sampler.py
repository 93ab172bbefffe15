"""Every class comes equally often in an epoch."""

import torch

from twlv_mm.recognition import ClassBalancedSampler


class Labelled(list):
    def __init__(self, labels):
        super().__init__(labels)
        self.labels = torch.tensor(labels)


def test_rare_classes_come_as_often_as_the_others():
    data = Labelled([0] * 90 + [1] * 6 + [2] * 4)
    sampler = ClassBalancedSampler(data, seed=0)
    drawn = [data[place] for place in sampler]
    assert len(drawn) == len(sampler) == 100
    assert all(33 <= drawn.count(label) <= 34 for label in range(3))
    favoured = set()
    for epoch in range(9):
        sampler.set_epoch(epoch)
        drawn = [data[place] for place in sampler]
        favoured.add(max(range(3), key=drawn.count))
        assert len({tuple(drawn[start : start + 3]) for start in range(0, 99, 3)}) > 6  # the classes do not take turns
    assert favoured == {0, 1, 2}


def test_each_sample_comes_once_where_classes_are_of_one_size():
    sampler = ClassBalancedSampler(Labelled([0, 1, 2] * 6), seed=0)
    assert sorted(sampler) == list(range(18))
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first


def test_processes_share_an_epoch():
    data = Labelled([0] * 7 + [1] * 4)
    parts = []
    for rank in range(2):
        sampler = ClassBalancedSampler(data, seed=3)
        sampler.rank, sampler.world_size, sampler.num_samples, sampler.total_size = rank, 2, 6, 12
        parts.append(list(sampler))
    assert [len(part) for part in parts] == [6, 6]
    assert len(set(parts[0] + parts[1])) >= 9  # four of each class at least, and one draw again to make it even


def test_labels_of_datasets_of_videos_are_read_from_their_samples():
    class Videos(list):
        def get_data_info(self, place):
            return dict(label=self[place])

    drawn = list(ClassBalancedSampler(Videos([0, 0, 0, 1]), seed=0))
    assert drawn.count(3) == 2
