"""Every variable of every config takes effect where a child sets it, or is refused."""

import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config

from twlv_mm.compat.config_variables import ConfigVariableError, settings
from twlv_mm.encoders import read_config
from twlv_mm.engine.config_reading import read_with_variables

CONFIGS = Path(__file__).parents[2] / 'configs'
NAMES = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
SHARED_MEMORY = '/dev/shm'  # mmengine copies each file of a config twice: 1 ms there, 10 on a disk


@cache
def parsed(name):
    return read_config(CONFIGS / name)


def run_by(cfg):
    return {name: value for name, value in cfg.items() if name in settings()}


def another(value):
    if isinstance(value, dict):
        return dict(another=1)
    if isinstance(value, str):
        return f'{value}_another'
    if isinstance(value, int | float):
        return 3 * value + 1
    return [*value, 'another'] if isinstance(value, list | tuple) else 'another'


def child_of(name, text, folder):
    (folder / 'child.py').write_text(f'_base_ = {str(CONFIGS / name)!r}\n{text}\n')
    return str(folder / 'child.py')


@pytest.fixture(autouse=True)
def in_memory(monkeypatch):
    if os.path.isdir(SHARED_MEMORY):
        monkeypatch.setattr(tempfile, 'tempdir', SHARED_MEMORY)


@pytest.fixture(scope='module')
def tried():
    return set()


@pytest.mark.parametrize('name', [name for name in NAMES if not name.endswith('_large.py')])
def test_every_variable_takes_effect_in_a_child_or_is_refused(name, tried, tmp_path):
    cfg = parsed(name)
    for variable in cfg.keys() - settings():
        # Once where it has the same value, for what many configs inherit.
        key = variable, repr(cfg[variable])
        if key in tried:
            continue
        tried.add(key)
        child = child_of(name, f'{variable} = {another(cfg[variable])!r}', tmp_path)
        try:
            changed = read_config(child)
        except Exception:  # of what the base does with such a value
            continue
        if run_by(changed) == run_by(cfg):
            with pytest.raises(ConfigVariableError, match=variable):
                read_with_variables(child, {})


@pytest.mark.parametrize('name', [name for name in NAMES if not name.endswith(('knn.py', '_large.py'))])
def test_one_variable_shortens_a_run_with_its_schedule(name, tmp_path):
    steps = 'pretrain' in name
    variable, length = ('max_iters', 300) if steps else ('max_epochs', 5)
    whole = parsed(name)
    for cfg in (
        read_with_variables(CONFIGS / name, {variable: length}),
        read_config(child_of(name, f'{variable} = {length}', tmp_path)),
    ):
        assert cfg.train_cfg[variable] == length
        for part, before in zip(cfg.get('param_scheduler', []), whole.get('param_scheduler', []), strict=True):
            if part.type == 'LinearLR':
                share = before.end / whole.train_cfg[variable]
                assert part.end in (pytest.approx(share * length), min(50, length // 10))
            elif part.type == 'CosineAnnealingLR':
                assert part.get('begin', 0) + part.T_max == pytest.approx(length)
            else:
                assert all(1 <= step <= length for step in part.milestones)


@pytest.mark.parametrize(
    ('name', 'variable', 'value', 'place'),
    [
        ('twlv/k400_knn.py', 'k', 3, 'model.k'),
        ('twlv/mit_knn.py', 'num_classes', 3, 'model.num_classes'),
        ('twlv/ssv2_knn.py', 'data_root', 'my/embeddings', 'model.bank.data_root'),
        ('twlv/k400_knn.py', 'column', 'video', 'test_dataloader.dataset.scope'),
        ('twlv/diving48_linear_offline.py', 'data_root', 'my/embeddings', 'val_dataloader.dataset.data_root'),
        ('twlv/thumos14_tal_video.py', 'clip_seconds', 1.5, 'extraction.clip_seconds'),
        ('twlv/gtea_tas.py', 'videos.fps', 30, 'test_dataloader.dataset.fps'),
    ],
)
def test_variables_that_are_set_most_often_take_effect(name, variable, value, place, tmp_path):
    first, _, entry = variable.partition('.')
    text = f'{first} = dict({entry}={value!r})' if entry else f'{first} = {value!r}'
    for cfg in (
        read_with_variables(CONFIGS / name, {variable: value}),
        read_with_variables(child_of(name, text, tmp_path), {}),
    ):
        for key in place.split('.'):
            cfg = cfg[key]
        assert cfg == value


@pytest.mark.parametrize(
    'name',
    [
        'k400_linear',
        'k400_attentive',
        'k400_attentive_vjepa',
        'ssv2_attentive_vjepa',
        'in1k_linear',
        'in1k_attentive',
        'k400_finetune',
    ],
)
def test_batch_that_is_larger_than_the_papers_is_not_divided(name):
    cfg = read_with_variables(CONFIGS / f'twlv/{name}.py', dict(batch_size=5000))
    assert (cfg.train_dataloader.batch_size, cfg.optim_wrapper.get('accumulative_counts', 1)) == (5000, 1)


def test_copied_folder_of_configs_gives_the_same_runs(tmp_path):
    shutil.copytree(CONFIGS, tmp_path / 'copy')
    for name in ('twlv/ssv2_finetune_large.py', 'twlv/breakfast_tas.py'):
        assert run_by(read_config(tmp_path / 'copy' / name)) == run_by(read_config(CONFIGS / name))


def test_config_that_a_run_has_written_down_is_read(tmp_path):
    read_config(CONFIGS / 'twlv/k400_knn.py').dump(tmp_path / 'dumped.py')
    assert read_with_variables(str(tmp_path / 'dumped.py'), {}).model.k == 200
    with pytest.raises(ConfigVariableError, match='k=… changes nothing'):
        read_with_variables(str(tmp_path / 'dumped.py'), dict(k=3))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('import os\ndata_root = os.getcwd()', 'data_root, which changes nothing in the run'),
        ('max_epoch = 3', 'did you mean max_epochs'),
        ('train_dataloder = dict(batch_size=2)', 'did you mean train_dataloader'),
        ('num_classes = 12', "reads 'num_classes': set model.cls_head.num_classes"),
        ('lr = 0.01', "reads 'lr': set optim_wrapper.optimizer.lr"),
        ('img_size = 112', "reads 'img_size': set encoder_overrides.img_size"),
    ],
)
def test_what_cannot_take_effect_in_a_child_is_refused(text, message, tmp_path):
    with pytest.raises(ConfigVariableError, match=message):
        read_with_variables(child_of('twlv/k400_linear.py', text, tmp_path), {})


def test_unknown_variable_of_a_child_is_warned_about(capsys, tmp_path):
    text = "custom_imports = dict(imports=['twlv_mm'])\nseed = 3"
    read_with_variables(child_of('twlv/k400_linear.py', text, tmp_path), {})
    said = capsys.readouterr().out
    assert "sets seed, which has no effect, because no config reads 'seed'" in said
    assert 'custom_imports' not in said


@pytest.mark.parametrize(
    ('name', 'variable'),
    [
        ('twlv/k400_knn.py', 'data_root'),
        ('twlv/ssv2_linear_offline.py', 'data_root'),
        ('twlv/thumos14_tal_video.py', 'data_root'),
        ('twlv/activitynet_tal.py', 'data_root'),
        ('twlv/gtea_tas_video.py', 'embeddings'),
        ('twlv/salads50_tas.py', 'embeddings'),
        ('synthetic/motion_knn.py', 'data_root'),
        ('synthetic/untrimmed_tal.py', 'embeddings'),
        ('synthetic/untrimmed_tas.py', 'embeddings'),
    ],
)
def test_folder_that_was_typed_keeps_its_name_whatever_the_encoder(name, variable, tmp_path):
    typed = 'my/embeddings'
    child = child_of(name, f"{variable} = '{typed}'\nencoder = 'umt_base'", tmp_path)
    for cfg in (
        read_with_variables(child, {}),
        read_with_variables(child, {}, encoder='vjepa_large'),
        read_with_variables(CONFIGS / name, {variable: typed}, encoder='vjepa_large'),
    ):
        run = Config(run_by(cfg)).pretty_text
        assert typed in run
        assert f'{typed}_' not in run
        assert not re.search(r'embeddings/\w+_(twlv|umt|vjepa)', run)


def test_embeddings_in_the_environment_take_the_place_of_a_variable(monkeypatch):
    monkeypatch.setenv('EMBEDDINGS', 'mine')
    cfg = read_with_variables(CONFIGS / 'synthetic/motion_knn.py', {})
    assert cfg.test_dataloader.dataset.data_root.startswith('mine/')
