"""A regression in four numbers, which trains in milliseconds."""

import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
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


def regression(work_dir, max_epochs, checkpoint=None, kind=Runner, **kwargs):
    """A runner, four iterations an epoch; each work dir may be used once in a process."""
    torch.manual_seed(0)  # the model is older than the runner, which would do that
    arguments = dict(
        model=Regressor(),
        work_dir=str(work_dir),
        experiment_name=str(work_dir),
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
        param_scheduler={'type': 'CosineAnnealingLR', 'T_max': max_epochs},
    )
    return kind(**arguments | kwargs)
