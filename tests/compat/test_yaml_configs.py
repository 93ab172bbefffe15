import pytest
from mmengine.config import Config

import twlv_mm  # noqa: F401


@pytest.mark.parametrize('suffix', ['.yaml', '.yml'])
def test_config_in_yaml_runs_nothing(tmp_path, suffix):
    path, trace = tmp_path / f'config{suffix}', tmp_path / 'it_ran'
    path.write_text(f'model: !!python/object/apply:os.system ["touch {trace}"]\n')
    with pytest.raises(ValueError, match='which could run code'):
        Config.fromfile(path)
    assert not trace.exists()


def test_plain_yaml_is_a_config(tmp_path):
    (tmp_path / 'config.yaml').write_text('model: {type: twlv_mm.VideoViT, depth: 2}\nfolds: [1, 2]\n')
    cfg = Config.fromfile(tmp_path / 'config.yaml')
    assert cfg.model.depth == 2
    assert cfg.folds == [1, 2]


SHARED = [f'a{number}: &a{number} [{f"*a{number - 1}, " * 10}]' for number in range(1, 20)]


@pytest.mark.parametrize('text', ['model: ' + '[' * 50_000, '- ' * 50_000, '\n'.join(['a0: &a0 [1]', *SHARED])])
def test_config_that_is_nested_or_shared_without_end_is_refused(text, tmp_path):
    (tmp_path / 'c.yaml').write_text(text)
    with pytest.raises(ValueError, match='is not sound yaml: .*(nested|many places|recursion)'):
        Config.fromfile(tmp_path / 'c.yaml')
