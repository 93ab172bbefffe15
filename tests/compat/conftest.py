import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub, MMLogger
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from torch import nn

import twlv_mm  # noqa: F401


class Regressor(BaseModel):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))

    def forward(self, x, y, mode='tensor'):
        out = self.net(x)
        return {'loss': (out - y).pow(2).mean()} if mode == 'loss' else [{'error': (out - y).abs().mean()}]


class MeanError(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += [sample['error'].cpu().numpy() for sample in data_samples]

    def compute_metrics(self, results):
        return {'mean_error': sum(results) / len(results)}


def samples():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(16, 4, generator=generator)
    return [{'x': row, 'y': row.sum(0, keepdim=True)} for row in x]


def loader(shuffle):
    sampler = {'type': 'DefaultSampler', 'shuffle': shuffle}
    return {'dataset': samples(), 'sampler': sampler, 'batch_size': 4, 'collate_fn': {'type': 'default_collate'}}


@pytest.fixture
def make_runner(tmp_path):
    """A runner of a regression in four numbers, four iterations an epoch; each name may be used once."""

    def make(name, max_epochs, checkpoint=None, **kwargs):
        return Runner(
            model=Regressor(),
            work_dir=str(tmp_path / name),
            experiment_name=f'{tmp_path.name}_{name}',
            train_dataloader=loader(shuffle=True),
            val_dataloader=loader(shuffle=False),
            test_dataloader=loader(shuffle=False),
            train_cfg={'by_epoch': True, 'max_epochs': max_epochs},
            val_cfg={},
            test_cfg={},
            val_evaluator=[MeanError()],
            test_evaluator=[MeanError()],
            optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.05, 'momentum': 0.9}},
            default_hooks={
                'checkpoint': {
                    'type': 'CheckpointHook',
                    'interval': 1,
                    'save_best': 'mean_error',
                    'rule': 'less',
                    **(checkpoint or {}),
                }
            },
            randomness={'seed': 0},
            log_level='WARNING',
            **{'param_scheduler': {'type': 'CosineAnnealingLR', 'T_max': max_epochs}, **kwargs},
        )

    yield make
    # A runner leaves its scope and logger behind as the current ones.
    for manager in (DefaultScope, MessageHub, MMLogger, Visualizer):
        manager._instance_dict.clear()
