"""The encoders are backbones of mmaction2's own recognizers, under its scope and without a prefix."""

import pytest
import torch
from mmaction.models import Recognizer3D
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner

from .golden import TINY


def test_recognizer_of_mmaction2_trains_on_the_bare_name(tiny_config, tmp_path):
    text = Config.fromfile(tiny_config).pretty_text.replace('twlv_mm.VideoViT', 'VideoViT')
    (tmp_path / 'theirs.py').write_text(text + "\ncustom_imports = dict(imports=['twlv_mm'])\n")
    cfg = Config.fromfile(tmp_path / 'theirs.py')
    changes = {
        'work_dir': str(tmp_path / 'work'),
        'train_cfg.max_epochs': 1,
        'train_dataloader.batch_size': 12,
        'train_dataloader.num_workers': 0,
    }
    cfg.merge_from_dict(changes)
    runner = Runner.from_cfg(cfg)
    assert type(runner.model) is Recognizer3D
    before = runner.model.backbone.blocks[0].mlp.fc1.weight.clone()
    runner.train()
    assert runner.iter == 1
    assert not torch.equal(runner.model.backbone.blocks[0].mlp.fc1.weight, before)


@pytest.mark.parametrize(
    'settings',
    [
        dict(type='VideoViT', arch='umt_base', **TINY),
        dict(type='SqueezeTime', widen_factor=0.125, num_frames=8, pos_dim=(16, 8, 4, 2)),
        dict(type='Encoder', source='twlv_base', **TINY),
    ],
    ids=lambda settings: settings['type'],
)
def test_bare_name_builds_what_the_prefixed_one_does(settings):
    with DefaultScope.overwrite_default_scope('mmaction'):
        bare = MODELS.build(dict(settings))
        prefixed = MODELS.build(dict(settings, type=f'twlv_mm.{settings["type"]}'))
    assert type(bare) is type(prefixed)
    assert bare.spec == prefixed.spec
