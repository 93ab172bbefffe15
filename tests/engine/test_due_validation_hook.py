"""A run that is killed during a validation ends as if it had not been."""

from pathlib import Path

import pytest
import torch

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import Runner
from twlv_mm.engine.latest_checkpoint import latest_checkpoint

from ..regression import MeanError, regression

PLATEAU = [dict(type='ReduceOnPlateauLR', monitor='mean_error', patience=0, rule='less', threshold=0.5)]


class Killed(BaseException):
    pass


class DiesOnce(MeanError):
    """Ends the run at the n-th validation, after its samples and before its score."""

    def __init__(self, at):
        super().__init__()
        self.left = at

    def compute_metrics(self, results):
        self.left -= 1
        if self.left == 0:
            raise Killed
        return super().compute_metrics(results)


def train(work_dir, metric, by_epoch=True, **kwargs):
    schedule = dict(train_cfg=dict(by_epoch=True, max_epochs=4))
    if not by_epoch:
        schedule = dict(train_cfg=dict(by_epoch=False, max_iters=4, val_interval=1))
    checkpoint = dict(by_epoch=by_epoch, interval=1)
    runner = regression(
        work_dir, 4, checkpoint, Runner, val_evaluator=[metric], **schedule, **dict(param_scheduler=PLATEAU) | kwargs
    )
    runner.train()
    return runner


def state(work_dir):
    (best,) = Path(work_dir).glob('best_*.pth')
    last = load_checkpoint(latest_checkpoint(work_dir, None))
    return best.name, last['state_dict'], last['param_schedulers'], last['message_hub']['runtime_info']['best_score']


@pytest.mark.parametrize(('by_epoch', 'at'), [(True, 1), (True, 2), (True, 4), (False, 2)])
def test_validation_that_was_cut_off_is_repeated(by_epoch, at, tmp_path):
    train(tmp_path / 'whole', MeanError(), by_epoch)
    with pytest.raises(Killed):
        train(tmp_path / 'run', DiesOnce(at), by_epoch)
    moved = (tmp_path / 'run').rename(tmp_path / 'killed')  # mmengine keeps its objects by name
    train(moved, MeanError(), by_epoch, resume='auto')
    (best, weights, *rest), (other_best, other_weights, *other_rest) = state(tmp_path / 'whole'), state(moved)
    assert best == other_best
    assert all(torch.equal(weights[name], other_weights[name]) for name in weights)
    assert rest == other_rest


def test_validation_whose_score_was_the_best_is_not_repeated(tmp_path):
    train(tmp_path / 'run', MeanError())
    moved = (tmp_path / 'run').rename(tmp_path / 'moved')
    runner = train(moved, DiesOnce(1), resume='auto')
    assert runner.epoch == 4
