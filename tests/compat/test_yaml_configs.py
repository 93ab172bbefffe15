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
