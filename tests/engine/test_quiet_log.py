"""The terminal has the environment in a line, progress and scores; the log file has everything."""

import pytest
import torch
from torch import nn

from twlv_mm.engine import launch
from twlv_mm.engine.quiet_log import has_top5

from ..written import read_results


@pytest.fixture
def run(tiny_config, tmp_path, capsys):
    """Lines of the terminal, text of the log file, and results.json of a run of two epochs and its test."""
    options = ['train_cfg.max_epochs=2', 'train_cfg.val_interval=2', 'train_dataloader.num_workers=0']
    launch.main_train([tiny_config, '--test', '--work-dir', str(tmp_path), '--cfg-options', *options])
    (log,) = tmp_path.glob('*/*.log')
    return capsys.readouterr().out.splitlines(), log.read_text(), read_results(tmp_path)


def test_terminal_is_short_and_the_file_is_whole(run, tmp_path):
    lines, log, results = run
    first = next(line for line in lines if 'INFO' in line)
    assert f'torch {torch.__version__}' in first
    assert 'seed 0. Config and full log: ' in first
    # Six steps, a validation, a test, what the run will do and where its results are.
    assert len(lines) <= 20, '\n'.join(lines)
    said = '\n'.join(lines)
    for noise in ('Config:', 'Hooks will be', 'FileClient', 'Exp name', 'paramwise', 'Saving checkpoint'):
        assert noise not in said, noise
    assert 'Config:' in log
    assert 'Hooks will be executed' in log
    # Two classes: the true one is always among the best five.
    assert 'acc/top1' in said
    assert 'top5' not in said
    assert results['metrics'].keys() == {'acc/top1', 'acc/mean1'}


@pytest.mark.parametrize(('classes', 'expected'), [(5, False), (6, True)])
def test_best_five_are_of_more_than_five(classes, expected):
    model = nn.Module()
    model.cls_head = nn.Module()
    model.cls_head.num_classes = classes
    assert has_top5(model) is expected
    assert has_top5(nn.Linear(2, 2)) is True
