import subprocess
import sys

SCRIPT = """
import sys
import torch
import twlv_mm
assert 'transformers' not in sys.modules, 'imported'
from mmengine.optim import build_optim_wrapper
wrapper = build_optim_wrapper(torch.nn.Linear(2, 2), dict(type='OptimWrapper', optimizer=dict(type='Adafactor')))
print(type(wrapper.optimizer).__module__)
"""


def test_transformers_is_imported_only_when_its_optimizer_is_built():
    run = subprocess.run([sys.executable, '-c', SCRIPT], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[-1] == 'transformers.optimization'
