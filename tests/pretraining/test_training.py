import json
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from packaging.version import Version

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.engine import launch
from twlv_mm.engine.fully_shard import FullyShard

from ..commands import Fork, run_together
from . import training  # noqa: F401  the config names its parts

CONFIG = """
default_scope = 'mmaction'

model = dict(
    type='twlv_mm.MaskedPretrainer',
    backbone=dict(type='twlv_mm.VideoViT', arch='twlv_base', img_size=32, patch_size=8, num_frames=8,
                  embed_dims=24, depth=2, num_heads=2, drop_path_rate=0.1),
    masks=[dict(type='twlv_mm.TubeMask', ratio=0.75)],
    predictor=dict(dims=24, depth=1, num_heads=2),
    targets=dict(pixels=dict(type='twlv_mm.PixelTarget'), latent=dict(type='twlv_mm.LatentTarget')),
    data_preprocessor=dict(type='ActionDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, format_shape='NCTHW'))

last = [
    dict(type='twlv_mm.ListDecoded', file='<folder>/decoded.txt'),
    dict(type='RandomResizedCrop'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW')]
video_pipeline = [
    dict(type='twlv_mm.OpenVideo'), dict(type='twlv_mm.SampleClips', num_frames=8, frame_interval=1, num_clips=1),
    dict(type='twlv_mm.DecodeVideo'), *last, dict(type='PackActionInputs')]
image_pipeline = [
    dict(type='twlv_mm.ImageDecode'), *last,
    dict(type='twlv_mm.StillVideo', num_frames=2), dict(type='PackActionInputs')]

train_dataloader = dict(
    batch_size=None, num_workers=0,
    sampler=dict(type='twlv_mm.MixtureSampler', batch_sizes=dict(video=4, image=8)),
    dataset=dict(type='twlv_mm.MixtureDataset', sets=dict(
        videos=dict(kind='video', weight=1, dataset=dict(
            type='twlv_mm.FileListDataset', ann_file='<folder>/videos.txt', data_prefix=dict(video='<videos>'),
            pipeline=video_pipeline)),
        images=dict(kind='image', weight=1, dataset=dict(
            type='twlv_mm.FileListDataset', ann_file='<folder>/images.txt', data_prefix=dict(video='<folder>'),
            pipeline=image_pipeline)))))

train_cfg = dict(type='twlv_mm.StepTrainLoop', max_iters=20)
optim_wrapper = dict(
    type='OptimWrapper', constructor='LearningRateDecayOptimizerConstructor',
    paramwise_cfg=dict(decay_rate=0.75, decay_type='layer_wise', num_layers=2),
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0))
param_scheduler = [dict(type='LinearLR', start_factor=0.1, end=5, by_epoch=False),
                   dict(type='CosineAnnealingLR', begin=5, T_max=15, by_epoch=False)]
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(type='CheckpointHook', interval=10, by_epoch=False))
custom_hooks = [
    dict(type='twlv_mm.RecordLosses'), dict(type='twlv_mm.MomentumScheduleHook'),
    dict(type='twlv_mm.FiniteGradientHook'), dict(type='twlv_mm.ClipRateHook')]
log_processor = dict(window_size=1, by_epoch=False)
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
randomness = dict(seed=0)
"""
# What processes draw for themselves differs with their number; masks follow from the samples.
NO_DROP_PATH = 'model.backbone.drop_path_rate=0.0'
CAN_SHARD = Version(torch.__version__) >= Version('2.7')
needs_sharding = pytest.mark.skipif(not CAN_SHARD, reason='twlv_mm.FullyShard needs torch 2.7')
KEYS = ('loss', 'loss_pixels', 'loss_latent', 'masked_fraction')


@pytest.fixture(scope='module')
def config(tiny_videos, tmp_path_factory):
    """Path of a config: 20 steps on 12 videos and 9 images."""
    folder = tmp_path_factory.mktemp('pretraining')
    (folder / 'videos.txt').write_text(''.join(f'train_{number}.mp4\n' for number in range(12)))
    random = np.random.default_rng(0)
    for number in range(9):
        cv2.imwrite(str(folder / f'{number}.png'), random.integers(0, 255, (40, 48, 3), dtype=np.uint8))
    (folder / 'images.txt').write_text(''.join(f'{number}.png\n' for number in range(9)))
    path = folder / 'pretrain.py'
    text = CONFIG.replace('<folder>', str(folder)).replace('<videos>', tiny_videos.folder)
    path.write_text(text)
    return path


def arguments(config, work_dir, *options, resume=None):
    resume = ['--resume', str(resume)] if resume else []
    settings = [f'experiment_name={Path(work_dir).name}', *options]
    return [str(config), '--work-dir', str(work_dir), *resume, '--cfg-options', *settings]


def train(*args, **kwargs):
    return launch.main_train(arguments(*args, **kwargs))


def records(work_dir):
    """What was recorded of each step, the last time it was made."""
    made = map(json.loads, (Path(work_dir) / 'losses.jsonl').read_text().splitlines())
    by_step = {record['step']: record for record in made}
    return [by_step[step] for step in sorted(by_step)]


def losses(work_dir):
    return [[record[key] for key in KEYS] for record in records(work_dir)]


@pytest.fixture(scope='module')
def whole(config, tmp_path_factory):
    """Work dir of an uninterrupted run."""
    work_dir = tmp_path_factory.mktemp('whole')
    train(config, work_dir)
    return work_dir


@pytest.fixture(scope='module')
def alone(config, tmp_path_factory):
    """Work dir of one process that several are compared with."""
    work_dir = tmp_path_factory.mktemp('alone')
    train(config, work_dir, NO_DROP_PATH)
    return work_dir


@pytest.fixture(scope='module')
def others(config, alone, tmp_path_factory):
    """Folder of the work dirs of other processes: one that was killed at step 13; two that replicate the model, shard
    it, shard it from step 10 of one process on, and meet a loss that is NaN; all replicate where torch cannot shard."""
    folder = tmp_path_factory.mktemp('others')
    several = [NO_DROP_PATH, 'launcher=pytorch']
    sharded = [*several, *['model_wrapper_cfg.type=twlv_mm.FullyShard'] * CAN_SHARD]
    killed = arguments(config, folder / 'killed', 'custom_hooks.0.kill_at=13', 'train_dataloader.num_workers=2')
    runs = [
        arguments(config, folder / 'replicated', *several),
        arguments(config, folder / 'sharded', *sharded),
        arguments(config, folder / 'from_one', *sharded, resume=alone / 'iter_10.pth'),
    ]
    poisoned = arguments(config, folder / 'poisoned', *sharded, 'custom_hooks.0.poison_at=2')
    assert Fork(launch.main_train, killed).finish().returncode == -signal.SIGKILL
    for run in runs:
        for ended in run_together(2, launch.main_train, run):
            assert ended.returncode == 0, ended.stderr
    assert [ended.returncode for ended in run_together(2, launch.main_train, poisoned)] == [2, 2]
    return folder


def test_log_has_each_loss_and_how_it_goes(whole):
    (path,) = whole.glob('*/vis_data/scalars.json')
    last = json.loads(path.read_text().splitlines()[-1])
    assert {*KEYS, 'grad_norm', 'lr', 'clips_per_second', 'time'} <= last.keys()
    assert last['clips_per_second'] > 0


def test_layers_learn_at_rates_of_their_own(whole):
    groups = load_checkpoint(whole / 'iter_10.pth')['optimizer']['param_groups']
    assert {group['lr_scale'] for group in groups} == {0.75**3, 0.75**2, 0.75, 1}


def test_images_are_clips_of_fewer_frames_in_batches_of_their_own(whole):
    seen = {(record['clip'][2], Path(file).suffix) for record in records(whole) for file in record['samples']}
    assert seen == {(8, '.mp4'), (2, '.png')}


def test_killed_run_resumes_as_if_it_had_not_been_and_reads_nothing_twice(config, whole, others):
    work_dir = others / 'killed'
    assert len(losses(work_dir)) == 13

    decoded = config.with_name('decoded.txt')
    decoded.unlink()
    # Another number of workers changes nothing.
    train(config, work_dir, resume='auto')
    assert losses(work_dir) == losses(whole)
    trained = [file for record in records(whole)[10:] for file in record['samples']]
    assert decoded.read_text().splitlines() == trained


@pytest.mark.parametrize('kind', ['replicated', pytest.param('sharded', marks=needs_sharding)])
def test_two_processes_give_the_losses_of_one(kind, alone, others):
    ours, expected = (torch.tensor(losses(work_dir), dtype=torch.float64) for work_dir in (others / kind, alone))
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)


@needs_sharding
def test_sharded_run_goes_on_from_the_checkpoint_of_one_process(alone, others):
    expected = torch.tensor(losses(alone)[10:])
    torch.testing.assert_close(torch.tensor(losses(others / 'from_one')), expected, rtol=0, atol=1e-5)


@needs_sharding
def test_one_process_goes_on_from_the_checkpoint_of_a_sharded_run(config, alone, others, tmp_path):
    train(config, tmp_path, NO_DROP_PATH, resume=others / 'sharded' / 'iter_10.pth')
    expected = torch.tensor(losses(alone)[10:])
    torch.testing.assert_close(torch.tensor(losses(tmp_path)), expected, rtol=0, atol=1e-5)


@needs_sharding
def test_checkpoint_of_a_sharded_run_has_the_tensors_of_one_process(alone, others):
    ours, theirs = (load_checkpoint(path / 'iter_20.pth') for path in (alone, others / 'sharded'))
    assert ours['state_dict'].keys() == theirs['state_dict'].keys()
    for name, tensor in ours['state_dict'].items():
        torch.testing.assert_close(theirs['state_dict'][name], tensor, rtol=0, atol=1e-4)
    for number, state in ours['optimizer']['state'].items():
        torch.testing.assert_close(theirs['optimizer']['state'][number], state, rtol=0, atol=1e-4)


def test_torch_that_cannot_shard_is_named(monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.6.0+cu124')
    with pytest.raises(RuntimeError, match=r'needs torch 2\.7 or later, but this is 2\.6\.0\+cu124'):
        FullyShard(torch.nn.Linear(2, 2))


def test_gradient_that_is_not_finite_stops_the_run_before_it_reaches_the_weights(config, whole, tmp_path, refused):
    options = ['custom_hooks.0.poison_at=13', 'optim_wrapper.accumulative_counts=2', 'optim_wrapper.clip_grad=None']
    message = refused(train, config, tmp_path, *options)
    assert 'the gradient of step 13 is not finite (norm nan; loss_pixels of process 0 at step 13 is nan)' in message
    saved = load_checkpoint(tmp_path / 'not_finite_13.pth')
    assert saved['meta']['iter'] == 12  # whose gradient is part of the step
    assert all(tensor.isfinite().all() for tensor in saved['state_dict'].values())
    record = json.loads((tmp_path / 'not_finite_13.json').read_text())
    assert [batch['step'] for batch in record['processes'][0]] == [12, 13]
    files = [[sample['file'] for sample in batch['samples']] for batch in record['processes'][0]]
    assert files == [step['samples'] for step in records(whole)[12:14]]

    refused(train, config, tmp_path, *options, resume=tmp_path / 'not_finite_13.pth')
    repeated = json.loads((tmp_path / 'not_finite_13.json').read_text())
    assert repeated['processes'][0][1]['samples'] == record['processes'][0][1]['samples']


def test_all_processes_stop_before_a_gradient_that_is_not_finite(alone, others):
    state = load_checkpoint(others / 'poisoned' / 'not_finite_2.pth')['state_dict']
    shapes = {name: tensor.shape for name, tensor in state.items()}
    expected = load_checkpoint(alone / 'iter_10.pth')['state_dict']
    assert shapes == {name: tensor.shape for name, tensor in expected.items()}
    assert all(tensor.isfinite().all() for tensor in state.values())
    record = json.loads((others / 'poisoned' / 'not_finite_2.json').read_text())
    files = [sample['file'] for batches in record['processes'] for sample in batches[-1]['samples']]
    assert sorted(files) == sorted(records(alone)[2]['samples'])


def test_compiled_blocks_give_the_same_losses(config, alone, tmp_path):
    # Of the first steps: what differs by rounding grows with each.
    hook = ['default_hooks.compile.type=twlv_mm.CompileBlocksHook', 'default_hooks.compile.backend=eager']
    train(config, tmp_path, NO_DROP_PATH, 'train_cfg.max_iters=6', *hook)
    torch.testing.assert_close(torch.tensor(losses(tmp_path)[:4]), torch.tensor(losses(alone)[:4]), rtol=0, atol=1e-5)


def test_loop_refuses_a_sampler_that_cannot_start_at_a_step(config, tmp_path):
    text = config.read_text() + "train_dataloader.update(batch_size=2, sampler=dict(type='InfiniteSampler'))"
    other = tmp_path / 'other.py'
    other.write_text(text)
    with pytest.raises(ValueError, match='MixtureSampler'):
        train(other, tmp_path)
