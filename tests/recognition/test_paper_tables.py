"""Configs of probes have the numbers of paper Table 4."""

from pathlib import Path

import pytest

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends
from mmengine.config import Config

from ..written import read_csv

ROOT = Path(__file__).parents[2]
NAMES = {'K400': 'k400', 'MiT': 'mit', 'SSv2': 'ssv2', 'DV48': 'diving48', 'EK': 'ek100', 'IN-1K': 'in1k'}
PROBES = dict(LP='linear', AP='attentive')


def table_4():
    """Pairs of dataset and probe -> hyperparameter -> text."""
    (_, _, *sets), *lines = read_csv(ROOT / 'tests/data/paper/table_4.csv')
    columns = {}
    for name, probe, *cells in lines:
        for dataset, cell in zip(sets, cells, strict=True):
            columns.setdefault((dataset, probe), {})[name] = cell.replace('\N{EN DASH}', ' to ')
    return columns


TABLE = table_4()


def steps(pipeline):
    return {step['type'].removeprefix('twlv_mm.'): step for step in pipeline}


def found(cfg, gpus):
    """What a parsed config has of the table's hyperparameters, as the table writes it."""
    train, test = (steps(cfg[f'{part}_dataloader'].dataset.pipeline) for part in ('train', 'test'))
    sample = ('SampleClips', 'SegmentSample')
    clip, view = (next((part[name] for name in sample if name in part), None) for part in (train, test))
    if clip is None:
        sampling = {'views (crops x clips)': '', 'num_frames': '', 'temporal_stride': '', 'train_num_clips': '1'}
    else:
        stride = clip.get('frame_interval') or clip.clip_seconds * 30 / clip.num_frames  # of 30 frames a second
        sampling = {
            'views (crops x clips)': f'{test["LongSideCrops"].num_crops} x {view.num_clips}',
            'num_frames': str(clip.num_frames),
            'temporal_stride': f'{stride:g}',
            'train_num_clips': str(clip.num_clips),
        }
    cut, optimizer = train['RandomResizedCrop'], cfg.optim_wrapper.optimizer
    *warm_up, cosine = cfg.param_scheduler
    assert cosine.type == 'CosineAnnealingLR'
    assert cosine.convert_to_iter_based
    assert cosine.get('begin', 0) + cosine.T_max == cfg.train_cfg.max_epochs
    assert [one.end for one in warm_up] in ([], [cosine.get('begin')])
    return sampling | {
        'horizontal_flip': str('Flip' in train and train['Flip'].flip_ratio == 0.5),
        'random_resize': str(tuple(cut.area_range)),
        'aspect_ratio': ' to '.join(map(str, cut.aspect_ratio_range)),
        'batch_size': str(cfg.train_dataloader.batch_size * cfg.optim_wrapper.accumulative_counts * gpus),
        'epochs': str(cfg.train_cfg.max_epochs),
        'warm-up epochs': f'{sum(one.end for one in warm_up):g}',
        'scheduler': 'cosine decay',
        'lr': f'{optimizer.lr:g}',
        'final_lr': f'{cosine.eta_min:.1f}',
        'weight_decay': f'{optimizer.weight_decay:g}'.replace('e-0', 'e-'),
    }


@pytest.mark.parametrize('size', ['', '_large'])
@pytest.mark.parametrize(('dataset', 'probe'), TABLE)
def test_config_has_every_number_of_its_column(dataset, probe, size, monkeypatch):
    path = ROOT / f'configs/twlv/{NAMES[dataset]}_{PROBES[probe]}{size}.py'
    for gpus in (1, 8, 64):
        monkeypatch.setenv('WORLD_SIZE', str(gpus))
        assert found(Config.fromfile(path), gpus) == TABLE[dataset, probe]


def test_a_recipe_of_one_clip_classifies_each_view_by_itself():
    for name in NAMES.values():
        assert not Config.fromfile(ROOT / f'configs/twlv/{name}_attentive.py').model.cls_head.across_clips
    for name in ('k400', 'ssv2'):
        cfg = Config.fromfile(ROOT / f'configs/twlv/{name}_attentive_vjepa.py')
        assert cfg.model.cls_head.across_clips
        train = steps(cfg.train_dataloader.dataset.pipeline)
        assert {'RandAugment', 'RandomErasing'} <= train.keys()
        assert 'Flip' not in train
        assert train['SampleClips'].num_clips == dict(k400=8, ssv2=2)[name]
        assert cfg.optim_wrapper.optimizer.weight_decay == 0.01
        assert cfg.optim_wrapper.clip_grad.max_norm == 1
        assert cfg.default_hooks.results.protocol.recipe == 'V-JEPA'
