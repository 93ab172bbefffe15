import os
import pickle
import shutil
import subprocess
import zipfile

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim import scheduler
from mmengine.runner import load_checkpoint
from torch import nn

from ..payload import Call


def test_resumed_run_equals_uninterrupted_one(make_runner):
    whole = make_runner('whole', 4)
    whole.train()
    resumed = make_runner('resumed', 4, load_from=str(os.path.join(whole.work_dir, 'epoch_2.pth')), resume=True)
    resumed.train()

    assert resumed.iter == whole.iter == 16
    torch.testing.assert_close(resumed.model.state_dict(), whole.model.state_dict(), rtol=0, atol=0)


def test_testing_from_a_checkpoint_gives_the_score_of_the_run(make_runner):
    trained = make_runner('trained', 2)
    trained.train()
    tested = make_runner('tested', 2, load_from=str(os.path.join(trained.work_dir, 'epoch_2.pth')))
    assert tested.test() == trained.test()


def payloads(marker):
    touch = f'open({str(marker)!r}, "w").close()'
    return {
        'os.system': Call(os.system, f'touch {marker}'),
        'subprocess': Call(subprocess.check_call, ['touch', str(marker)]),
        'eval': Call(eval, touch),
        'exec': Call(exec, touch),
        'getattr of a tensor': Call(getattr, torch.Tensor, 'tofile'),
        'getattr of an array': Call(getattr, np.ndarray, 'tofile'),
        'getattr of a buffer': Call(getattr, HistoryBuffer([1], [1]), 'mean'),
        'getattr of a special name': Call(getattr, HistoryBuffer, '__init__'),
        'getattr of globals': Call(getattr, HistoryBuffer.mean, '__globals__'),
    }


@pytest.mark.parametrize('name', payloads(''))
def test_pickle_payload_in_checkpoint_does_not_run(tmp_path, name):
    marker, path = tmp_path / 'it_ran', tmp_path / 'evil.pth'
    model = nn.Linear(2, 2)
    torch.save({'state_dict': model.state_dict(), 'meta': payloads(marker)[name]}, path)

    with pytest.raises(pickle.UnpicklingError, match=r'evil\.pth is not loaded'):
        load_checkpoint(model, str(path))
    assert not marker.exists()


def test_pickle_payload_in_checkpoint_of_a_url_does_not_run(tmp_path, monkeypatch):
    marker, path = tmp_path / 'it_ran', tmp_path / 'evil.pth'
    torch.save({'state_dict': {}, 'meta': payloads(marker)['os.system']}, path)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'hub'))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', lambda url, target, *_, **__: shutil.copy(path, target))
    with pytest.raises(pickle.UnpicklingError, match='it holds posix.system'):
        load_checkpoint(nn.Linear(2, 2), 'https://example.org/evil.pth')
    assert not marker.exists()


def test_refusal_says_what_the_checkpoint_asks_for_and_a_safe_way_out(tmp_path):
    torch.save({'state_dict': {}, 'meta': {'path': tmp_path}}, tmp_path / 'own.pth')
    with pytest.raises(pickle.UnpicklingError, match=r'it holds pathlib[.\w]+, .*save its state_dict alone') as error:
        load_checkpoint(nn.Identity(), str(tmp_path / 'own.pth'))
    assert 'weights_only' not in str(error.value)


def test_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.pth'):
        load_checkpoint(nn.Linear(2, 2), str(tmp_path / 'gone.pth'))


@pytest.mark.parametrize(
    ('content', 'error'),
    [
        (b'', 'cannot be read as a checkpoint'),
        (b'<!DOCTYPE html>', r"it is not a file of torch\.save, as it begins with b'<!DOCTYPE html>'"),
        (b'PK\3\4 cut off', 'cannot be read as a checkpoint'),
    ],
    ids=['empty', 'page', 'cut off'],
)
def test_error_names_a_file_that_is_not_a_checkpoint(tmp_path, content, error):
    (tmp_path / 'odd.pth').write_bytes(content)
    with pytest.raises(pickle.UnpicklingError, match=rf'odd\.pth .*{error}'):
        load_checkpoint(nn.Linear(2, 2), str(tmp_path / 'odd.pth'))


@pytest.mark.parametrize(
    'value',
    [
        *(np.arange(3).astype(kind) for kind in ('bool', 'uint8', 'int32', 'int64', 'float16', 'float32', 'float64')),
        *(kind(1) for kind in (np.bool_, np.int32, np.int64, np.float32, np.float64)),
    ],
    ids=lambda value: f'{type(value).__name__}-{value.dtype}',
)
def test_numbers_of_numpy_load(tmp_path, value):
    torch.save({'state_dict': {}, 'message_hub': {'best_score': value}}, tmp_path / 'numbers.pth')
    loaded = load_checkpoint(nn.Identity(), str(tmp_path / 'numbers.pth'))['message_hub']['best_score']
    assert type(loaded) is type(value)
    assert loaded.dtype == value.dtype
    np.testing.assert_array_equal(loaded, value)


def test_names_of_both_numpys_load(tmp_path):
    """A checkpoint of numpy 1 says numpy.core where numpy 2 says numpy._core, whichever loads it."""
    torch.save({'state_dict': {}, 'buffer': HistoryBuffer([1.0, 3.0], [1, 1])}, tmp_path / 'own.pth')
    for old, new in [(b'numpy._core', b'numpy.core'), (b'numpy.core', b'numpy._core')]:
        rewritten = rewrite_pickle(tmp_path / 'own.pth', tmp_path / 'other.pth', old, new)
        assert load_checkpoint(nn.Identity(), str(rewritten))['buffer'].mean() == 2.0


def rewrite_pickle(source, target, old, new):
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, 'w') as out:
        for name in archive.namelist():
            data = archive.read(name)
            out.writestr(name, data.replace(old, new) if name.endswith('data.pkl') else data)
    return target


SCHEDULERS = {
    'StepLR': {'step_size': 1},
    'MultiStepLR': {'milestones': [1, 2]},
    'ConstantLR': {},
    'ExponentialLR': {'gamma': 0.9},
    'CosineAnnealingLR': {'T_max': 3},
    'LinearLR': {},
    'PolyLR': {},
    'OneCycleLR': {'eta_max': 0.1, 'total_steps': 4},
    'CosineRestartLR': {'periods': [2], 'restart_weights': [1], 'eta_min': 0.0},
    'ReduceOnPlateauLR': {},
}


@pytest.mark.parametrize('name', SCHEDULERS)
def test_state_of_every_learning_rate_schedule_loads(tmp_path, name):
    optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1, momentum=0.9)
    state = getattr(scheduler, name)(optimizer, **SCHEDULERS[name]).state_dict()
    torch.save({'state_dict': {}, 'param_schedulers': [state]}, tmp_path / 'schedule.pth')
    assert load_checkpoint(nn.Identity(), str(tmp_path / 'schedule.pth'))['param_schedulers'] == [state]
