"""Fine-tuning configs train a small encoder on a few videos, each layer at a rate of its own."""

import json
from pathlib import Path

import pytest
import torch

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import launch

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize('name', ['k400_finetune', 'ssv2_finetune'])
def test_layers_learn_at_rates_of_their_own_and_the_average_is_tested(name, tiny_videos, tmp_path):
    data = [
        f'{part}_dataloader.dataset.{key}={value}'
        for part, listed in (('train', tiny_videos.train_list), ('val', tiny_videos.val_list))
        for key, value in (('ann_file', listed), ('data_prefix.video', tiny_videos.folder))
    ]
    data += [option.replace('val_', 'test_', 1) for option in data if option.startswith('val_')]
    small = [f'encoder_overrides.{key}={value}' for key, value in dict(img_size=32, depth=3, embed_dims=48).items()]
    options = [
        *small,
        'encoder_overrides.num_heads=4',
        *data,
        'train_cfg.max_epochs=6',
        'train_cfg.val_interval=6',
        'param_scheduler.1.T_max=1',
        'optim_wrapper.accumulative_counts=1',
        'train_dataloader.batch_size=4',
        'train_dataloader.num_workers=0',
        'val_dataloader.num_workers=0',
        'test_dataloader.num_workers=0',
    ]
    config = str(ROOT / f'configs/twlv/{name}.py')
    launch.main_train([config, '--work-dir', str(tmp_path), '--cfg-options', *options])
    checkpoint = load_checkpoint(tmp_path / 'epoch_6.pth')
    rates = {group['group_name']: group['initial_lr'] for group in checkpoint['optimizer']['param_groups']}
    top = 2e-3 if name == 'k400_finetune' else 1e-3
    # Patches, three blocks, and what comes after them.
    assert rates['layer_4_decay'] == pytest.approx(top)
    assert rates['layer_0_decay'] == pytest.approx(top * 0.75**4)
    # What is tested is kept beside what is trained.
    assert any(not torch.equal(checkpoint['state_dict'][key], value) for key, value in _trained(checkpoint))
    launch.main_test(
        [config, str(tmp_path / 'epoch_6.pth'), '--work-dir', str(tmp_path / 't'), '--cfg-options', *options]
    )
    (path,) = (tmp_path / 't').rglob('results.json')
    record = json.loads(path.read_text())
    assert record['task'] == 'recognition_finetune'
    assert record['metrics']['acc/top1'] >= 0


def _trained(checkpoint):
    """Names and values of the weights that the optimizer changes: EMAHook saves the average in their place."""
    return [
        (key.removeprefix('module.'), value)
        for key, value in checkpoint['ema_state_dict'].items()
        if key.startswith('module.')
    ]
