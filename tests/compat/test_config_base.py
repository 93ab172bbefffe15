import pytest
from mmengine.config import Config

from twlv_mm.compat import config_base


@pytest.fixture
def configs(tmp_path, monkeypatch):
    """A package's config folder with one config that inherits another."""
    folder = tmp_path / 'package' / '.mim' / 'configs'
    (folder / '_base_').mkdir(parents=True)
    (folder / 'twlv').mkdir()
    (folder.parent / 'model-index.yml').write_text('Import: []')
    (folder / '_base_' / 'model.py').write_text("model = dict(type='Recognizer3D', cls_head=dict(num_classes=400))")
    (folder / 'twlv' / 'k400_linear.py').write_text("_base_ = ['../_base_/model.py']\ndefault_scope = 'mmaction'")
    monkeypatch.setattr(config_base, 'CONFIGS', folder)
    return folder


def inherit(folder, name):
    child = folder / 'child.py'
    child.write_text(f"_base_ = '{name}'\nmodel = dict(cls_head=dict(num_classes=7))")
    return Config.fromfile(child)


def test_project_elsewhere_inherits_a_config_of_the_package(configs, tmp_path):
    config = inherit(tmp_path, 'twlv_mm::twlv/k400_linear.py')
    assert config.model.cls_head.num_classes == 7
    assert config.default_scope == 'mmaction'
    # With a _scope_, mmaction2's types would be looked up in our registry.
    assert config.model.to_dict() == {'type': 'Recognizer3D', 'cls_head': {'num_classes': 7}}


def test_wrong_name_lists_close_matches(configs, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'Did you mean twlv/k400_linear\.py\?'):
        inherit(tmp_path, 'twlv_mm::twlv/k400_liner.py')


def test_name_without_close_match_says_where_it_looked(configs, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        inherit(tmp_path, 'twlv_mm::zzz.py')
    assert str(configs) in str(error.value)


def test_relative_bases_and_other_packages_still_work(tmp_path):
    (tmp_path / 'base.py').write_text('value = 1')
    (tmp_path / 'relative.py').write_text("_base_ = './base.py'")
    assert Config.fromfile(tmp_path / 'relative.py').value == 1
    (tmp_path / 'other.py').write_text("_base_ = 'mmdet::_base_/models/retinanet_r50_fpn.py'")
    assert Config.fromfile(tmp_path / 'other.py').model.type == 'RetinaNet'


def test_hub_finds_a_config_of_the_package(configs, monkeypatch):
    from mmengine import hub

    monkeypatch.setattr(hub.hub, 'get_installed_path', lambda package: str(configs.parents[1]))
    assert hub.get_config('twlv_mm::twlv/k400_linear.py').model.type == 'Recognizer3D'
