"""The script for machines with a GPU runs: on the CPU, with small sizes."""

import json
import subprocess
import sys
from pathlib import Path

import torch
from packaging.version import Version

from ..commands import start_tool

SCRIPT = Path(__file__).parents[2] / 'benchmarks/gpu.py'


def test_every_step_measures_something(tmp_path):
    # Not 'tests', 'encoders' and 'compiled', which take long or are tested by themselves.
    steps = ['extraction', 'probe', 'localization', 'detection', 'pretraining', 'knn']
    if Version(torch.__version__) < Version('2.7'):
        steps.remove('pretraining')  # which shards the model
    out = tmp_path / 'gpu.json'
    done = start_tool(SCRIPT, '--device', 'cpu', '--tiny', '--together', '--out', out, '--only', *steps).finish()
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(out.read_text())
    assert list(figures) == steps
    for measured in figures.values():
        assert all(isinstance(value, str | bool) or value > 0 for value in measured.values())


def test_a_step_that_fails_is_recorded_and_the_others_go_on(tmp_path):
    code = SCRIPT.read_text().replace(
        'def knn(device, tiny):', "def knn(device, tiny):\n    raise RuntimeError('no luck')", 1
    )
    (tmp_path / 'benchmarks').mkdir()
    (tmp_path / 'benchmarks/gpu.py').write_text(code)
    command = [sys.executable, 'benchmarks/gpu.py', '--device', 'cpu', '--tiny', '--only', 'knn']
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'no luck' in json.loads((tmp_path / 'gpu.json').read_text())['knn']['error']
