"""The moving average of the weights moves with the optimizer."""

import torch
from torch import nn

from ..regression import Regressor, loader


class Linear(Regressor):
    """Without batch norm, which sees the parts of a batch."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Linear(4, 1)


def averaged(make_runner, name, batch_size, accumulation):
    runner = make_runner(
        name,
        5,
        model=Linear(),
        train_dataloader=loader(shuffle=False) | dict(batch_size=batch_size),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.05), accumulative_counts=accumulation),
        param_scheduler=None,
        custom_hooks=[dict(type='EMAHook', momentum=0.3)],
    )
    runner.train()
    (hook,) = (hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook')
    return hook.ema_model.module.net.weight


def test_accumulated_gradients_give_the_average_of_the_whole_batch(make_runner):
    whole = averaged(make_runner, 'whole', 16, 1)
    torch.testing.assert_close(averaged(make_runner, 'parts', 4, 4), whole)
