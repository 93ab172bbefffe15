"""The configs of pretraining: that they build, and that their parts agree."""

from pathlib import Path

import mmaction.models  # noqa: F401
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

CONFIGS = Path(__file__).parents[2] / 'configs'
NAMES = sorted(
    path.relative_to(CONFIGS).as_posix() for path in CONFIGS.glob('*/pretrain_*.py') if path.parts[-2] != '_base_'
)


@pytest.mark.parametrize('name', NAMES)
def test_parts_of_a_config_agree(name):
    cfg = Config.fromfile(CONFIGS / name)
    init_default_scope('mmaction')
    for teacher in cfg.model.get('teachers', {}).values():
        teacher.weights = None  # the user's
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    arch = model.backbone.arch
    assert cfg.encoder == model.backbone.spec.name
    assert tuple(cfg.model.data_preprocessor.mean) == arch.mean
    assert tuple(cfg.model.data_preprocessor.std) == arch.std

    # Only the hook moves a moving average.
    has_average = any(hasattr(target, 'momentum') for target in model.targets.values())
    hooks = [hook['type'] for hook in cfg.default_hooks.values()]
    assert ('twlv_mm.MomentumScheduleHook' in hooks) == has_average

    warm_up, decay = cfg.param_scheduler
    assert warm_up.end == decay.begin
    assert decay.begin + decay.T_max == cfg.train_cfg.max_iters

    sets = cfg.train_dataloader.dataset.sets
    assert {entry.kind for entry in sets.values()} <= cfg.train_dataloader.sampler.batch_sizes.keys()
    for entry in sets.values():
        steps = [inner for step in entry.dataset.pipeline for inner in step.get('transforms', [step])]
        frames = next(filter(None, (step.get('clip_len') or step.get('num_frames') for step in steps)))
        assert frames % arch.tubelet_size == 0
        squares = [tuple(step.scale) for step in steps if step.type == 'Resize']
        squares += [(step.size, step.size) for step in steps if step.type == 'twlv_mm.ResizeCrop']
        assert (arch.img_size, arch.img_size) in squares
