import pickle

import pytest
import torch

from twlv_mm.compat import weights_only

VARIABLE = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'


def test_import_refuses_an_environment_that_makes_checkpoints_executable(fresh):
    run = fresh.run(
        'import os, sys\n'
        f"os.environ['{VARIABLE}'] = '1'\n"
        "for name in [name for name in sys.modules if name.partition('.')[0] == 'twlv_mm']:\n"
        '    del sys.modules[name]\n'
        'import twlv_mm'
    )
    assert run.returncode != 0
    assert f'RuntimeError: {VARIABLE}=1 is set' in run.stderr
    assert f'unset {VARIABLE}' in run.stderr


@pytest.mark.parametrize('value', ['1', 'y', 'YES', 'True'])
def test_every_value_that_torch_takes_for_true_is_refused(monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(RuntimeError, match=VARIABLE):
        weights_only.apply()


@pytest.mark.parametrize('value', ['0', '', 'false'])
def test_values_without_effect_are_accepted(monkeypatch, value, tmp_path):
    monkeypatch.setenv(VARIABLE, value)
    weights_only.apply()
    torch.save(exit, tmp_path / 'code.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'code.pth')


def test_torch_without_safe_loading_is_refused(monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.5.1+cu124')
    with pytest.raises(RuntimeError, match=r'needs torch >= 2\.6, found 2\.5\.1'):
        weights_only.apply()
