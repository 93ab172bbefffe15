"""The benchmark of stored embeddings compares ways to the same result."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import offline_probes
from benchmarks.offline_probes import benchmark_knn, benchmark_linear, benchmark_offline, plant
from twlv_mm.engine import launch

SIZES = dict(videos=60, queries=10, clips=4, dims=16, num_classes=5)
PARTS = ('start_up', 'reading', 'products', 'selection')


def run_here(file, *arguments):
    """What the benchmark runs in processes of their own, without their start."""
    arguments = [str(argument) for argument in arguments]
    if Path(file).name == 'test.py':
        launch.main_test(arguments)
    elif Path(file).name == 'train.py':
        launch.main_train(arguments)
    else:
        way = dict(knn=offline_probes._plain_knn, linear=offline_probes._plain_linear)[arguments[0]]
        np.savez(arguments[3], **way(arguments[1], int(arguments[2])))
    return 100.0


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Folder of planted embeddings; processes are run in this one."""
    plant(tmp_path, **SIZES)
    monkeypatch.setattr(offline_probes, '_run', run_here)
    return tmp_path


def test_both_ways_of_knn_agree_and_their_parts_add_up_to_the_process(planted):
    rates = benchmark_knn(planted, SIZES['num_classes'])
    assert list(rates) == ['first', 'again', 'plain']
    for rate in rates.values():
        assert sum(rate[part] for part in PARTS) == pytest.approx(rate['seconds'])
        assert min(rate[part] for part in ('reading', 'products')) > 0


def test_other_votes_or_another_accuracy_are_an_error(planted, monkeypatch):
    plain = offline_probes._plain_knn
    monkeypatch.setattr(offline_probes, '_plain_knn', lambda *args: plain(*args) | dict(votes=np.ones((10, 5))))
    with pytest.raises(RuntimeError, match='differ in the votes of 10 of 10 videos'):
        benchmark_knn(planted, SIZES['num_classes'])
    monkeypatch.setattr(offline_probes, '_plain_knn', lambda *args: plain(*args) | dict(labels=np.full(10, -1)))
    with pytest.raises(RuntimeError, match='the plain script has 0.0 %'):
        benchmark_knn(planted, SIZES['num_classes'])


def test_linear_probe_is_trained_both_ways_and_the_plain_time_is_scaled(planted, monkeypatch):
    assert set(offline_probes._plain_linear(planted, SIZES['num_classes'])) == {'seconds'}
    monkeypatch.setattr(offline_probes, '_plain_linear', lambda *args: dict(seconds=1.5))
    assert benchmark_linear(planted, SIZES['num_classes'], epochs=4) == dict(ours=100.0, plain=2.0)
    assert (planted / 'linear/epoch_4.pth').is_file()


def test_plain_script_runs_as_a_file(tmp_path):
    plant(tmp_path, **SIZES)
    script = offline_probes.__file__
    subprocess.run([sys.executable, '-I', script, 'knn', tmp_path, '5', tmp_path / 'knn.npz'], check=True)
    with np.load(tmp_path / 'knn.npz') as file:
        assert set(file.files) == {'votes', 'labels', *PARTS[1:]}


def test_planted_classes_can_be_told_apart(tmp_path):
    plant(tmp_path, **SIZES | dict(dims=256))
    votes, *_ = offline_probes._knn_parts(tmp_path, 5)
    assert (votes.argmax(axis=1) == np.arange(10) % 5).mean() > 0.5


def test_too_few_videos_are_refused():
    with pytest.raises(ValueError, match='39 videos of 5 clips are too few for 200 neighbours'):
        benchmark_offline(videos=39)
