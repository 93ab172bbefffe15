"""Early stopping survives a kill."""

import pytest
from mmengine.hooks import Hook

from twlv_mm.engine import Runner

from ..regression import MeanError

SCORES = (5, 3, 4, 4, 4, 4, 4, 4)  # the best after 2 epochs


class Scores(MeanError):
    """Gives a score for each epoch."""

    def __init__(self, runner_of):
        super().__init__()
        self.runner_of = runner_of

    def compute_metrics(self, results):
        return {'mean_error': SCORES[self.runner_of[0].epoch - 1]}


class Killed(BaseException):
    pass


class Dies(Hook):
    def __init__(self, epoch):
        self.epoch = epoch

    def before_train_epoch(self, runner):
        if runner.epoch == self.epoch:
            raise Killed


@pytest.fixture
def run(make_runner, tmp_path):
    def train(name, dies_at=None, test=False, **kwargs):
        runner_of = []
        stopping = dict(type='EarlyStoppingHook', monitor='mean_error', rule='less', patience=3)
        runner = make_runner(
            name, len(SCORES), kind=Runner, val_evaluator=[Scores(runner_of)], custom_hooks=[stopping, Dies(dies_at)],
            **kwargs,
        )  # fmt: skip
        runner_of.append(runner)
        if test:
            runner.test()
            return runner
        runner.train()
        return runner.epoch

    return train


@pytest.mark.parametrize('killed_at', [3, 4])
def test_resumed_run_stops_when_an_uninterrupted_one_does(killed_at, run, tmp_path):
    with pytest.raises(Killed):
        run('killed', killed_at)
    (tmp_path / 'killed').rename(tmp_path / 'resumed')  # mmengine keeps its objects by name
    assert run('resumed', resume='auto') == 5


def test_run_that_has_stopped_does_not_go_on(run, tmp_path):
    assert run('stopped') == 5
    (tmp_path / 'stopped').rename(tmp_path / 'again')
    assert run('again', resume='auto') == 5


def test_test_leaves_the_training_alone(run, tmp_path):
    run('trained')
    tested = run('tested', test=True, load_from=str(tmp_path / 'trained/epoch_2.pth'))
    assert isinstance(tested._train_loop, dict)
