"""Data loaders that mmengine would not build, or build empty."""

import pytest
from torch.utils.data import Dataset

from twlv_mm.engine.runner import Runner


class Numbers(Dataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return index


def loader(**settings):
    defaults = dict(batch_size=2, num_workers=0, sampler=dict(type='mmengine.DefaultSampler', shuffle=False))
    return Runner.build_dataloader(dict(defaults, dataset=Numbers(), **settings))


def test_settings_of_workers_are_dropped_without_workers():
    built = loader(persistent_workers=True, prefetch_factor=4)
    assert len(built) == 2
    assert not built.persistent_workers


def test_a_loader_that_drops_its_only_batch_is_refused():
    assert len(loader(drop_last=True)) == 1
    with pytest.raises(ValueError, match='there are 3 samples, fewer than a batch of 4, and drop_last'):
        Runner.build_dataloader(
            dict(
                batch_size=4,
                num_workers=0,
                drop_last=True,
                sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
                dataset=Numbers(),
            )
        )
