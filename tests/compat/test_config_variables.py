"""A variable that a config sets is the variable of its bases, too."""

import pytest
from mmengine.config import Config

from twlv_mm.compat import config_variables
from twlv_mm.compat.config_variables import ConfigVariableError, variables

BASE = """
root, sizes = 'data', dict(a=1, b=2)
path = f'{root}/list.txt'
{more}
model = dict(path=path, sizes=sizes)
"""


@pytest.fixture
def parse(tmp_path, monkeypatch):
    monkeypatch.setattr(config_variables, 'CONFIGS', tmp_path)

    def parse(child, middle='', more=''):
        (tmp_path / 'base.py').write_text(BASE.replace('{more}', more))
        (tmp_path / 'middle.py').write_text(f"_base_ = './base.py'\n{middle}\n")
        (tmp_path / 'child.py').write_text(f"_base_ = './middle.py'\n{child}\n")
        return Config.fromfile(tmp_path / 'child.py')

    return parse


@pytest.mark.parametrize(
    ('child', 'path'),
    [
        ("root = 'mine'", 'mine/list.txt'),
        ("folder = 'my'\nroot = f'{folder}/own'", 'my/own/list.txt'),
        ("path = 'p'", 'p'),
        ('root = {{_base_.root}}', 'data/list.txt'),
        ("root, other = 'two', 2", 'two/list.txt'),
    ],
)
def test_a_base_is_made_with_the_value_of_its_child(child, path, parse):
    assert parse(child).model.path == path


def test_the_outermost_config_wins_and_values_in_between_follow_it(parse):
    middle = "folder = 'a'\nroot = f'{folder}/b'"
    assert parse('', middle).model.path == 'a/b/list.txt'
    assert parse("folder = 'c'", middle).model.path == 'c/b/list.txt'
    assert parse("root = 'd'", middle).model.path == 'd/list.txt'
    with variables(dict(folder='e')):
        assert parse("folder = 'c'", middle).model.path == 'e/b/list.txt'


def test_dicts_are_merged_as_settings_are(parse):
    assert parse('sizes = dict(b=3)').model.sizes == dict(a=1, b=3)
    assert parse('sizes = dict(_delete_=True, b=3)').model.sizes == dict(b=3)


def test_variable_of_another_kind_is_refused_with_both_files(parse):
    with pytest.raises(ConfigVariableError, match=r'child\.py sets sizes to text, but .*base\.py uses a variable of'):
        parse("sizes = 'large'")


def test_settings_do_not_reach_into_a_base(parse):
    cfg = parse(
        'train_cfg = dict(max_epochs=2)', more="train_cfg = dict(max_epochs=9)\nlength = train_cfg['max_epochs']"
    )
    assert (cfg.train_cfg.max_epochs, cfg.length) == (2, 9)


def test_configs_of_others_keep_their_variables_apart_unless_the_command_sets_one(parse, tmp_path, monkeypatch):
    monkeypatch.setattr(config_variables, 'CONFIGS', tmp_path / 'elsewhere')
    assert parse("root = 'mine'").model.path == 'data/list.txt'
    with variables(dict(root='given')):
        assert parse("root = 'mine'").model.path == 'given/list.txt'


def test_configs_that_build_on_one_of_this_package_share_their_variables(parse, tmp_path, monkeypatch):
    ours = tmp_path / 'ours/base.py'
    ours.parent.mkdir()
    ours.write_text("own = 'a'\nwork = dict(path=own)\n")
    monkeypatch.setattr(config_variables, 'CONFIGS', ours.parent)
    cfg = parse("root, own = 'mine', 'b'", more="_base_ = './ours/base.py'")
    assert (cfg.model.path, cfg.work.path) == ('mine/list.txt', 'b')
