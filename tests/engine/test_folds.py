import json
import multiprocessing
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, HOOKS, METRICS, MODELS
from torch.utils.data import Dataset

from twlv_mm.engine import FoldError, folds, launch
from twlv_mm.records import log_folder

CONFIG = """
default_scope = 'mmengine'
folds = [1, 2]
fold = 1
model = dict(type='FoldsProbe')
vectors = dict(type='FoldsVectors', fold=fold)
train_dataloader = dict(
    batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='RepeatDataset', times=1, dataset=dict(vectors, split='train')))
test_dataloader = dict(
    batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(vectors, split='test'))
test_evaluator = dict(type='FoldsScore')
train_cfg = dict(by_epoch=True, max_epochs=2)
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
default_hooks = dict(
    checkpoint=dict(type='CheckpointHook', interval=1, save_param_scheduler=False),
    epoch_seed=dict(type='twlv_mm.EpochSeedHook'),
    results=dict(type='twlv_mm.ResultsHook', task='segmentation', dataset='vectors'))
custom_hooks = [dict(type='FoldsStop')]
visualizer = dict(type='Visualizer', name='visualizer', vis_backends=[dict(type='LocalVisBackend')])
randomness = dict(seed=3)
"""

stop = {}  # where a run is to be stopped, and by which error: {(fold, epoch): error}


@DATASETS.register_module(force=True)
class FoldsVectors(Dataset):
    """24 vectors; a fold tests on every second and trains on the others."""

    metainfo = {}

    def __init__(self, fold, split):
        self.fold, self.choices = fold, dict(steps=12)
        vectors = np.random.default_rng(0).normal(size=(24, 8)).astype(np.float32)
        tested = np.arange(24) % 2 == fold - 1
        self.vectors = vectors[tested if split == 'test' else ~tested]

    def full_init(self):
        """What RepeatDataset calls."""

    def __len__(self):
        return len(self.vectors)

    def __getitem__(self, index):
        return dict(vectors=self.vectors[index])


@MODELS.register_module(force=True)
class FoldsProbe(BaseModel):
    """Learns the sum of a vector, with dropout; predicts the error."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))

    def forward(self, vectors, mode):
        vectors = torch.from_numpy(np.stack(vectors))
        errors = (self.layer(vectors).squeeze(1) - vectors.sum(1)) ** 2
        return dict(loss=errors.mean()) if mode == 'loss' else errors.tolist()


@METRICS.register_module(force=True)
class FoldsScore(BaseMetric):
    """How far the predictions are off; notes where the run's log is."""

    def process(self, data_batch, data_samples):
        self.results.extend(data_samples)

    def compute_metrics(self, results):
        (log_folder() / 'metric_was_here').touch()
        return dict(closeness=float(np.exp(-np.mean(results))))


@HOOKS.register_module(force=True)
class FoldsStop(Hook):
    """Stops a run where the test says; part of the config, which has to stay the same."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        fold = runner.cfg.test_dataloader.dataset.fold
        if batch_idx == 2 and (fold, runner.epoch) in stop:
            raise stop.pop((fold, runner.epoch))


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp('config') / 'vectors.py'
    path.write_text(CONFIG)
    return str(path)


@pytest.fixture(scope='module')
def whole(config, tmp_path_factory):
    """Work dir and record of a run over all folds that nothing stopped."""
    work_dir = tmp_path_factory.mktemp('whole')
    return work_dir, folds.main_folds([config, '--work-dir', str(work_dir)])


def metrics_of(record):
    return record['metrics'], record['folds']


def run_logs(work_dir, fold):
    return [path.read_text() for path in sorted(Path(work_dir, f'fold{fold}').glob('*/*.log'))]


def error_of(refused, *arguments):
    return refused(folds.main_folds, [str(argument) for argument in arguments])


def test_record_is_the_mean_of_the_folds_own_records(whole, config):
    work_dir, returned = whole
    record = json.loads((work_dir / 'results.json').read_text())
    assert record == returned
    own = [json.loads(next(work_dir.glob(f'fold{fold}/*/results.json')).read_text()) for fold in (1, 2)]
    scores = [one['metrics']['closeness'] for one in own]
    assert scores[0] != scores[1]
    assert record['metrics'] == {'closeness': pytest.approx(sum(scores) / 2)}
    assert record['folds'] == {str(fold): {'closeness': score} for fold, score in zip((1, 2), scores, strict=True)}
    assert record['protocol'] == dict(steps=12, head='FoldsProbe', folds=[1, 2])
    assert [one['protocol'] for one in own] == [dict(steps=12, head='FoldsProbe', fold=fold) for fold in (1, 2)]
    assert record['spread'] == {'closeness': pytest.approx(abs(scores[0] - scores[1]) / 2**0.5)}  # of two values
    assert set(record) == {*own[0], 'folds', 'spread'}
    assert (record['seed'], record['checkpoint'], record['task']) == (3, None, 'segmentation')
    assert record['config']['path'] == config


def test_every_fold_has_a_log_a_config_and_checkpoints_of_its_own(whole):
    work_dir, _ = whole
    for fold in (1, 2):
        (log,) = run_logs(work_dir, fold)
        assert f'fold {fold} of 2' in log
        assert 'WARNING - There is no checkpoint' not in log
        assert log.count(' of 2\n') == 1
        assert len(list(work_dir.glob(f'fold{fold}/*/metric_was_here'))) == 1
        assert len(list(work_dir.glob(f'fold{fold}/*/vis_data/config.py'))) == 1
        cfg = Config.fromfile(work_dir / f'fold{fold}/vectors.py')
        assert cfg.train_dataloader.dataset.dataset.fold == cfg.test_dataloader.dataset.fold == cfg.fold == fold


def test_folds_record_names_the_checkpoint_of_the_last_epoch_which_gives_the_same_score(whole, tmp_path):
    work_dir, record = whole
    own = json.loads(next(work_dir.glob('fold2/*/results.json')).read_text())
    checkpoint = str(work_dir / 'fold2/epoch_2.pth')
    assert own['checkpoint']['path'] == checkpoint
    metrics = launch.main_test([str(work_dir / 'fold2/vectors.py'), checkpoint, '--work-dir', str(tmp_path)])
    assert 100 * metrics['closeness'] == pytest.approx(record['folds']['2']['closeness'])


@pytest.mark.parametrize(('listed', 'noted'), [('[1, 2]', dict(fold=1)), ('[1]', {})])
def test_test_of_one_of_several_folds_says_so(whole, config, tmp_path, listed, noted):
    checkpoint = str(whole[0] / 'fold1/epoch_2.pth')
    launch.main_test([config, checkpoint, '--work-dir', str(tmp_path), '--cfg-options', f'folds={listed}'])
    (path,) = tmp_path.glob('*/results.json')
    assert json.loads(path.read_text())['protocol'] == dict(steps=12, head='FoldsProbe', **noted)


def test_fold_alone_gives_what_it_gives_among_the_others(whole, config, tmp_path, capsys):
    alone = folds.main_folds([config, '--work-dir', str(tmp_path), '--folds', '2'])
    assert alone['folds'] == {'2': whole[1]['folds']['2']}
    assert alone['metrics'] == whole[1]['folds']['2']
    assert alone['protocol']['folds'] == [2]
    assert 'fold 2' in capsys.readouterr().out

    everything = folds.main_folds([config, '--work-dir', str(tmp_path)])
    assert metrics_of(everything) == metrics_of(whole[1])
    assert len(run_logs(tmp_path, 2)) == 1, 'the finished fold was run again'


@pytest.mark.parametrize(
    ('epoch', 'error'), [(0, ValueError('a video is missing')), (1, KeyboardInterrupt())], ids=['failed', 'killed']
)
def test_stopped_command_goes_on_and_ends_like_an_uninterrupted_one(epoch, error, whole, config, tmp_path):
    stop[2, epoch] = error
    with pytest.raises((FoldError, KeyboardInterrupt)) as stopped:
        folds.main_folds([config, '--work-dir', str(tmp_path)])
    if isinstance(error, ValueError):
        assert str(stopped.value).startswith('fold 2 failed with ValueError: a video is missing\n')
        assert stopped.value.__cause__ is error
    assert list(json.loads((tmp_path / 'folds.json').read_text())['folds']) == ['1']
    assert not (tmp_path / 'results.json').exists()

    record = folds.main_folds([config, '--work-dir', str(tmp_path)])
    assert metrics_of(record) == metrics_of(whole[1])
    assert len(run_logs(tmp_path, 1)) == 1, 'the finished fold was run again'
    resumed = f'Load checkpoint from {tmp_path}/fold2/epoch_1.pth'
    assert (resumed in run_logs(tmp_path, 2)[-1]) == (epoch == 1)


def test_fold_stopped_after_training_is_only_tested(whole, config, tmp_path, monkeypatch):
    monkeypatch.setattr(FoldsScore, 'compute_metrics', lambda *args: 1 / 0)
    with pytest.raises(FoldError, match='fold 1 failed with ZeroDivisionError'):
        folds.main_folds([config, '--work-dir', str(tmp_path), '--folds', '1'])
    monkeypatch.undo()
    trained = (tmp_path / 'fold1/epoch_2.pth').stat().st_mtime_ns
    record = folds.main_folds([config, '--work-dir', str(tmp_path), '--folds', '1'])
    assert record['folds']['1'] == whole[1]['folds']['1']
    assert (tmp_path / 'fold1/epoch_2.pth').stat().st_mtime_ns == trained
    own = [json.loads(path.read_text()) for path in tmp_path.glob('fold1/*/results.json')]
    assert own[-1]['checkpoint']['path'] == str(tmp_path / 'fold1/epoch_2.pth')


def test_work_dir_of_another_config_is_refused(config, tmp_path, refused):
    stop[1, 1] = KeyboardInterrupt()
    arguments = [config, '--work-dir', tmp_path]
    with pytest.raises(KeyboardInterrupt):
        folds.main_folds(list(map(str, arguments)))
    # Also where no fold was finished yet: it would go on from the other config's checkpoint.
    error = error_of(refused, *arguments, '--seed', 4)
    assert 'choose another --work-dir' in error
    assert re.search(r'-.*seed=3\)\n  \+.*seed=4\)', error)
    assert len(run_logs(tmp_path, 1)) == 1


def test_record_that_was_tampered_with_is_refused(config, tmp_path, refused):
    (tmp_path / 'folds.json').write_text('{"config": ')
    assert 'is not a record of finished folds' in error_of(refused, config, '--work-dir', tmp_path)


def test_commands_that_finish_folds_at_the_same_time_lose_no_fold(tmp_path):
    path = str(tmp_path / 'folds.json')

    def finish(first):
        for fold in range(first, first + 40):
            folds._add_finished(path, 'text', {fold: dict(metrics={}, protocol={}, wall_seconds=1.0)})

    commands = [multiprocessing.get_context('fork').Process(target=finish, args=(first,)) for first in (0, 100, 200)]
    for command in commands:
        command.start()
    for command in commands:
        command.join()
    assert len(json.loads(Path(path).read_text())['folds']) == 120


def test_unknown_fold_is_refused(config, tmp_path, refused):
    error = error_of(refused, config, '--work-dir', tmp_path, '--folds', 2, 7)
    assert f'unknown fold 7 (--folds): {config} has 1, 2' in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('del folds', 'add folds = [1, 2, 3, 4]'),
        ("train_dataloader['dataset']['dataset'].pop('fold')", 'in its train_dataloader'),
        ("test_dataloader['dataset'].pop('fold')", 'in its test_dataloader'),
        ("val_dataloader = dict(dataset=dict(type='FoldsVectors'))", 'in its val_dataloader'),
        ("default_hooks.pop('results')", 'has no ResultsHook'),
    ],
)
def test_config_that_is_not_one_of_folds_says_what_it_lacks(line, message, tmp_path, refused):
    path = tmp_path / 'lacking.py'
    path.write_text(f'{CONFIG}{line}\n')
    assert message in error_of(refused, path, '--work-dir', tmp_path / 'run')


def test_record_is_null_where_a_fold_has_no_number_and_where_no_checkpoint_was_written(config, tmp_path, monkeypatch):
    scores = iter([0.5, float('nan')])
    monkeypatch.setattr(FoldsScore, 'compute_metrics', lambda *args: dict(closeness=next(scores)))
    options = ['train_cfg.max_epochs=1', 'default_hooks.checkpoint.interval=2', 'default_hooks.checkpoint.save_last=0']
    record = folds.main_folds([config, '--work-dir', str(tmp_path), '--cfg-options', *options])
    assert record['metrics'] == {'closeness': None}
    assert record['folds'] == {'1': {'closeness': 50.0}, '2': {'closeness': None}}
    own = [json.loads(path.read_text()) for path in tmp_path.glob('fold*/*/results.json')]
    assert [one['checkpoint'] for one in own] == [None, None]
