from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(not find_spec('transformers'), reason="needs transformers: pip install 'twlv-i[hf]'")

SCRIPT = """
import sys
import torch
import twlv_mm
import mmaction.models
import mmdet.datasets
assert 'transformers' not in sys.modules, 'imported'
from mmengine.optim import build_optim_wrapper
wrapper = build_optim_wrapper(torch.nn.Linear(2, 2), dict(type='OptimWrapper', optimizer=dict(type='Adafactor')))
assert type(wrapper.optimizer).__module__ == 'transformers.optimization'
from mmdet.models.language_models import bert
config = bert.BertConfig.from_dict(dict(hidden_size=24))
assert type(config).__module__.startswith('transformers.models.bert'), type(config)
print('done')
"""


def test_transformers_is_imported_only_when_it_is_used(fresh):
    run = fresh.run(SCRIPT)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[-1] == 'done'


def test_transformers_is_used_where_it_has_been_imported_already(fresh):
    run = fresh.run('import transformers, mmdet.models.language_models.bert as bert; print(bert.BertConfig.__module__)')
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[-1] == 'transformers.models.bert.configuration_bert'
