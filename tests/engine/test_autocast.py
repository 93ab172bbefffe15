import os

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub, MMLogger
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from torch import nn

from twlv_mm.engine import AutocastHook, AutocastOptimWrapper
from twlv_mm.engine.autocast import check_dtype


class Regressor(BaseModel):
    """Remembers in which type its matrix products ran, by mode."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 1)
        self.seen = {}

    def forward(self, x, y, mode='tensor'):
        out = self.net(x)
        self.seen.setdefault(mode, set()).add(out.dtype)
        if mode == 'loss':
            return {'loss': (out.float() - y).pow(2).mean()}
        return [BaseDataElement(score=score, ids=torch.arange(2)) for score in out]


class MeanScore(BaseMetric):
    def process(self, data_batch, data_samples):
        # numpy has no bfloat16: this is where metrics fail on it.
        self.results += [(sample['score'].cpu().numpy().mean(), sample['ids'].dtype) for sample in data_samples]

    def compute_metrics(self, results):
        assert {dtype for _, dtype in results} == {torch.int64}
        return {'score': float(sum(score for score, _ in results) / len(results))}


def loader():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(32, 4, generator=generator)
    dataset = [{'x': row, 'y': row.sum(0, keepdim=True)} for row in x]
    return {
        'dataset': dataset,
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        'batch_size': 4,
        'collate_fn': {'type': 'default_collate'},
    }


@pytest.fixture
def make_runner(tmp_path):
    def make(name, max_epochs=2, optim_wrapper=None, hook=None, **kwargs):
        return Runner(
            model=Regressor(),
            work_dir=str(tmp_path / name),
            experiment_name=f'{tmp_path.name}_{name}',
            train_dataloader=loader(),
            val_dataloader=loader(),
            test_dataloader=loader(),
            train_cfg={'by_epoch': True, 'max_epochs': max_epochs},
            val_cfg={},
            test_cfg={},
            val_evaluator=[MeanScore()],
            test_evaluator=[MeanScore()],
            optim_wrapper={
                'type': 'twlv_mm.AutocastOptimWrapper',
                'optimizer': {'type': 'Adam', 'lr': 0.05},
                **(optim_wrapper or {}),
            },
            custom_hooks=[{'type': 'twlv_mm.AutocastHook', **(hook or {})}],
            randomness={'seed': 0},
            log_level='WARNING',
            **kwargs,
        )

    yield make
    # A runner leaves its scope and logger behind as the current ones.
    for manager in (DefaultScope, MessageHub, MMLogger, Visualizer):
        manager._instance_dict.clear()


def mean_loss(model):
    with torch.no_grad():
        return sum(float((model.net(row['x']) - row['y']).pow(2)) for row in loader()['dataset']) / 32


def test_training_and_validation_run_in_bfloat16_on_float32_weights(make_runner):
    runner = make_runner('run')
    before = mean_loss(runner.model)
    runner.train()
    assert mean_loss(runner.model) < before / 2
    assert runner.model.seen == {'loss': {torch.bfloat16}, 'predict': {torch.bfloat16}}
    assert runner.model.net.weight.dtype == torch.float32


def test_testing_runs_in_bfloat16_and_is_left_afterwards(make_runner):
    runner = make_runner('run')
    runner.test()
    assert runner.model.seen == {'predict': {torch.bfloat16}}
    runner.model.seen.clear()
    runner.model.test_step({'x': torch.ones(2, 4), 'y': torch.ones(2, 1)})
    assert runner.model.seen == {'predict': {torch.float32}}


def test_without_the_hook_validation_stays_float32(make_runner):
    runner = make_runner('run')
    runner._hooks = [hook for hook in runner.hooks if not isinstance(hook, AutocastHook)]
    runner.val()
    assert runner.model.seen == {'predict': {torch.float32}}


def test_resumed_run_equals_uninterrupted_one(make_runner):
    whole = make_runner('whole', 2)
    whole.train()
    checkpoint = os.path.join(whole.work_dir, 'epoch_1.pth')
    resumed = make_runner('resumed', 2, load_from=checkpoint, resume=True)
    resumed.train()
    assert torch.equal(resumed.model.net.weight, whole.model.net.weight)
    assert resumed.iter == whole.iter


def test_accumulated_and_clipped_gradients_equal_those_of_the_whole_batch():
    def updated(batch_size, count):
        model = nn.Linear(4, 1, bias=False)
        nn.init.ones_(model.weight)
        wrapper = AutocastOptimWrapper(
            optimizer=torch.optim.SGD(model.parameters(), lr=1.0),
            accumulative_counts=count,
            clip_grad={'max_norm': 0.5},
        )
        wrapper.initialize_count_status(model, 0, count)
        for x in torch.arange(16.0).view(4, 4).split(batch_size):
            with wrapper.optim_context(model):
                out = model(x)
                assert out.dtype == torch.bfloat16
            wrapper.update_params(out.float().pow(2).mean())
        return model.weight.detach()

    whole, parts = updated(4, 1), updated(1, 4)
    assert (whole - 1).norm() == pytest.approx(0.5, rel=1e-3)
    torch.testing.assert_close(parts, whole, rtol=1e-2, atol=1e-2)


@pytest.mark.skipif(torch.cuda.is_available(), reason='float16 is for accelerators, and one is here')
def test_float16_on_a_cpu_is_refused():
    with pytest.raises(ValueError, match="Use dtype='bfloat16'"):
        AutocastOptimWrapper(dtype='float16', optimizer=torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0))


@pytest.mark.skipif(torch.cuda.is_available(), reason='float16 is for accelerators, and one is here')
def test_testing_takes_the_type_of_the_training_config(make_runner):
    with pytest.raises(ValueError, match="'float16' needs an accelerator"):
        make_runner('run', optim_wrapper={'dtype': 'float16'}).test()


def test_unknown_type_is_refused():
    with pytest.raises(ValueError, match="dtype is 'int8'"):
        check_dtype('int8')


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_gpu_trains_in_either_type_and_resumes_its_loss_scale(make_runner, dtype):
    runner = make_runner('gpu', 2, optim_wrapper={'dtype': dtype})
    runner.train()
    kind = getattr(torch, dtype)
    assert runner.model.seen == {'loss': {kind}, 'predict': {kind}}
    resumed = make_runner('resumed', 2, optim_wrapper={'dtype': dtype}, load_from=f'{runner.work_dir}/epoch_1.pth',
                          resume=True)  # fmt: skip
    resumed.train()
    torch.testing.assert_close(resumed.model.net.weight, runner.model.net.weight)
    assert resumed.optim_wrapper.loss_scaler.state_dict() == runner.optim_wrapper.loss_scaler.state_dict()
