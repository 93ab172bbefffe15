"""Many probes at once: each is trained as if alone, and one is chosen on videos that are not for the test."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, DefaultScope

from twlv_mm.compat.checkpoints import load_checkpoint
from twlv_mm.encoders import read_checkpoint
from twlv_mm.engine import launch
from twlv_mm.recognition import AttentiveProbe, HeldOutMetric, SplitDataset
from twlv_mm.recognition.probe_sweep import ProbeSweepHead, scores_of_probes

from ..commands import run_together
from ..written import read_results

ROOT = Path(__file__).parents[2]
LRS, DECAYS = (1e-2, 1e-3), (0.01, 5.0)
CONSTRUCTOR = 'twlv_mm.ProbeSweepConstructor'

# The changes that make the shared tiny config one of a sweep or of a single probe on the same training videos.
COMMON = """
_base_ = ['{base}']
model = dict(type='twlv_mm.ProbeRecognizer', features='tokens',
             backbone=dict(arch='twlv_small_synthetic', frozen=True, allow_random=True, depth=2, embed_dims=48,
                           patch_size=16, num_frames=8, tubelet_size=2),
             cls_head=dict(_delete_=True, num_classes=2, in_channels=48, num_heads=4, {head}))
split = dict(type='twlv_mm.SplitDataset', of='mmaction.VideoDataset', share=0.25, seed=1)
train_dataloader = dict(batch_size=3, num_workers=0, dataset=dict(part='training', **split))
"""
SWEEP = """
val_dataloader = dict(dataset=dict(part='held-out', ann_file={{{{_base_.train_dataloader.dataset.ann_file}}}}, **split))
val_evaluator = dict(_delete_=True, type='twlv_mm.HeldOutMetric')
optim_wrapper = dict(_delete_=True, type='OptimWrapper', optimizer=dict(type='AdamW'), clip_grad=dict(max_norm=0.5),
                     constructor='twlv_mm.ProbeSweepConstructor')
default_hooks = dict(choose=dict(type='twlv_mm.ChooseProbeHook'), sync_buffers=dict(type='SyncBuffersHook'))
"""
ALONE = """
val_cfg = val_dataloader = val_evaluator = None
optim_wrapper = dict(optimizer=dict(lr={lr}, weight_decay={weight_decay}), clip_grad=dict(max_norm=0.5),
                     paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0))
"""


def write_config(folder, base, text, head, **values):
    path = folder / 'config.py'
    path.write_text((COMMON + text).format(base=base, head=head, **values))
    return str(path)


def sweep_head(kinds=('attentive', 'linear')):
    return f"type='twlv_mm.ProbeSweepHead', kinds={kinds}, lrs={LRS}, weight_decays={DECAYS}"


@pytest.fixture(scope='module')
def sweep(tiny_config, tmp_path_factory):
    """Config and work dir of a sweep of 8 probes, trained for 3 epochs."""
    folder = tmp_path_factory.mktemp('sweep')
    config = write_config(folder, tiny_config, SWEEP, sweep_head())
    launch.main_train([config, '--work-dir', str(folder / 'run')])
    return config, folder / 'run'


@pytest.fixture
def tiny_head():
    torch.manual_seed(0)
    head = ProbeSweepHead(3, 8, num_heads=2, lrs=LRS, weight_decays=DECAYS, kinds=('attentive', 'linear'))
    for parameter in head.probes.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return head


def read_state(path):
    return load_checkpoint(path)['state_dict']


@pytest.mark.parametrize('index', range(len(LRS) * len(DECAYS)))
def test_probe_of_a_sweep_ends_as_the_same_probe_trained_alone(sweep, tiny_config, tmp_path, index):
    lr, weight_decay = LRS[index // 2], DECAYS[index % 2]
    head = "type='twlv_mm.AttentiveHead'"
    config = write_config(tmp_path, tiny_config, ALONE, head, lr=lr, weight_decay=weight_decay)
    launch.main_train([config, '--work-dir', str(tmp_path / 'run')])
    alone, together = (read_state(Path(run) / 'epoch_3.pth') for run in (tmp_path / 'run', sweep[1]))
    for name in (name for name in alone if name.startswith('cls_head.probe.')):
        value, other = alone[name], together[name.replace('probe.', f'probes.{index}.')]
        if name.endswith('kv.bias'):
            # That of the keys changes nothing: its gradient is 0, and rounding errors where it is computed.
            value, other = value[48:], other[48:]
        # Adam makes steps of the size of the learning rate even out of rounding errors.
        atol = 0.01 * lr
        torch.testing.assert_close(other, value, rtol=1e-3, atol=atol, msg=lambda text, name=name: f'{name}: {text}')


def test_probes_of_a_sweep_differ_in_the_end(sweep):
    state = read_state(sweep[1] / 'epoch_3.pth')
    for kind in range(2):
        weights = [state[f'cls_head.probes.{4 * kind + index}.linear.weight'] for index in range(4)]
        assert not any(torch.allclose(weights[0], other, atol=1e-5) for other in weights[1:])


def test_shared_attention_gives_scores_and_gradients_of_the_probes_one_by_one(tiny_head):
    tokens = torch.randn(5, 7, 8)
    probes = [*tiny_head.probes, AttentiveProbe(8, 3, num_heads=2, depth=2)]
    together, alone = scores_of_probes(probes, tokens), torch.stack([probe(tokens) for probe in probes])
    torch.testing.assert_close(together, alone)
    parameters = [value for probe in probes for value in probe.parameters()]
    gradients = (torch.autograd.grad(scores.square().sum(), parameters) for scores in (together, alone))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_resumed_sweep_equals_the_uninterrupted_one(sweep, tmp_path):
    config, run = sweep
    launch.main_train([config, '--work-dir', str(tmp_path), '--resume', str(run / 'epoch_1.pth')])
    resumed, whole = (read_state(path / 'epoch_3.pth') for path in (tmp_path, run))
    torch.testing.assert_close(resumed, whole, rtol=0, atol=0)


def test_test_reports_the_chosen_probe_and_every_held_out_score(sweep, tmp_path):
    config, run = sweep
    launch.main_test([config, str(run / 'epoch_3.pth'), '--work-dir', str(tmp_path)])
    metrics = read_results(tmp_path)['metrics']
    names = [f'heldout/{kind}_lr{lr:g}_wd{wd:g}' for kind in ('attentive', 'linear') for lr in LRS for wd in DECAYS]
    assert {'acc/top1', 'heldout/chosen', *names} <= set(metrics)
    state = read_state(run / 'epoch_3.pth')
    heldout = state['cls_head.heldout'] * 100
    assert [metrics[name] for name in names] == pytest.approx(heldout.tolist())
    assert metrics['heldout/chosen'] == pytest.approx(max(heldout.tolist()))
    assert heldout[state['cls_head.chosen']] == heldout.max()


def test_probe_best_on_held_out_videos_is_chosen_though_another_is_better_in_the_test(sweep, tmp_path):
    config, run = sweep
    checkpoint = read_checkpoint(run / 'epoch_3.pth')
    test_list = Config.fromfile(config).test_dataloader.dataset.ann_file
    train_list = Config.fromfile(config).train_dataloader.dataset.ann_file
    zeros, ones = (tmp_path / name for name in ('zeros.txt', 'ones.txt'))
    zeros.write_text(''.join(f'{line.split()[0]} 0\n' for line in Path(train_list).read_text().splitlines()))
    ones.write_text(''.join(f'{line.split()[0]} 1\n' for line in Path(test_list).read_text().splitlines()))
    # Probe 5 always says 0, which is right on all that is held out; probe 6 always 1, right in the whole test.
    for index in range(8):
        for name, value in checkpoint['state_dict'].items():
            if name.startswith(f'cls_head.probes.{index}.linear.'):
                value.zero_()
        checkpoint['state_dict'][f'cls_head.probes.{index}.linear.bias'][int(index != 5)] = 1.0
    torch.save(checkpoint, tmp_path / 'rigged.pth')
    options = ['--cfg-options', f'val_dataloader.dataset.ann_file={zeros}', f'test_dataloader.dataset.ann_file={ones}']
    options += [f'train_dataloader.dataset.ann_file={zeros}', f'load_from={tmp_path}/rigged.pth']
    # The learning rates are so small that an epoch leaves the probes what they are.
    options += ['model.cls_head.lrs=(1e-12,2e-12)', 'train_cfg.max_epochs=1']
    launch.main_train([config, '--work-dir', str(tmp_path / 'run'), *options])
    options[4] = f'load_from={tmp_path}/run/epoch_1.pth'
    launch.main_test([config, '--work-dir', str(tmp_path / 'test'), *options])
    metrics = read_results(tmp_path / 'test')['metrics']
    assert read_state(tmp_path / 'run/epoch_1.pth')['cls_head.chosen'] == 5
    assert metrics['heldout/chosen'] == 100
    assert metrics['acc/top1'] == 0


def test_training_and_held_out_parts_are_disjoint_and_together_the_whole(tiny_videos):
    options = dict(of='mmaction.VideoDataset', ann_file=tiny_videos.train_list, pipeline=[], share=0.25)
    with DefaultScope.overwrite_default_scope('mmaction'):
        for seed in range(3):
            parts = [
                [sample['filename'] for sample in SplitDataset(part=part, seed=seed, **options)]
                for part in ('training', 'held-out', 'held-out')
            ]
            assert [len(part) for part in parts] == [9, 3, 3]
            assert parts[1] == parts[2]
            assert not set(parts[0]).intersection(parts[1])
            assert {Path(name).name for name in parts[0] + parts[1]} == {f'train_{n}.mp4' for n in range(12)}
        for share in (0.0, 1.0):
            with pytest.raises(ValueError, match=rf'share={share} of 12 samples'):
                SplitDataset(part='training', **options | dict(share=share))
        with pytest.raises(ValueError, match="unknown part 'test' of a dataset; choose from 'training', 'held-out'"):
            SplitDataset(part='test', **options)


def test_two_processes_train_and_choose_on_all_held_out_videos(sweep, tmp_path):
    options = ['--launcher', 'pytorch', '--cfg-options', 'train_cfg.max_epochs=1']
    for ended in run_together(2, launch.main_train, [sweep[0], '--work-dir', str(tmp_path), *options]):
        assert ended.returncode == 0, ended.stderr
    thirds = read_state(tmp_path / 'epoch_1.pth')['cls_head.heldout'] * 3
    torch.testing.assert_close(thirds, thirds.round())
    assert thirds.shape == (8,)


def test_sweep_trains_and_tests_in_bf16(sweep, tmp_path):
    options = ['--amp', '--work-dir', str(tmp_path), '--cfg-options', 'train_cfg.max_epochs=1']
    runner = launch.main_train([sweep[0], *options])
    assert type(runner.optim_wrapper).__name__ == 'AutocastOptimWrapper'
    assert read_state(tmp_path / 'epoch_1.pth')['cls_head.heldout'].isfinite().all()
    assert 0 <= launch.main_test([sweep[0], str(tmp_path / 'epoch_1.pth'), *options])['acc/top1'] <= 1


def test_gradient_of_each_probe_is_clipped_by_its_own_norm(tiny_head):
    model = torch.nn.Module()
    model.cls_head = tiny_head
    wrapper = dict(type='OptimWrapper', constructor=CONSTRUCTOR, optimizer=dict(type='AdamW'))
    wrapper = build_optim_wrapper(model, wrapper | dict(clip_grad=dict(max_norm=1.0)))
    for index, probe in enumerate(tiny_head.probes):
        for value in probe.parameters():
            value.grad = torch.full_like(value, 10.0 if index % 2 else 1e-4)
    wrapper.step()
    for index, probe in enumerate(tiny_head.probes):
        norm = torch.cat([value.grad.flatten() for value in probe.parameters()]).norm()
        assert norm == pytest.approx(1.0, rel=1e-4) if index % 2 else norm < 0.1


def test_probe_that_diverged_is_never_right():
    metric = HeldOutMetric()
    scores = dict(good=torch.tensor([0.9, 0.1]), diverged=torch.full((2,), torch.nan))
    metric.process({}, [dict(gt_label=torch.tensor([0]), probe_scores=scores)])
    assert metric.evaluate(1) == {'heldout/good': 1.0, 'heldout/diverged': 0.0}


def test_mistakes_in_a_sweep_are_named(tiny_config, tmp_path, sweep):
    with pytest.raises(ValueError, match="unknown kind of probe 'knn'; choose from attentive, linear"):
        ProbeSweepHead(3, 8, 2, LRS, DECAYS, kinds=('knn',))
    with pytest.raises(ValueError, match='must not be empty or repeat'):
        ProbeSweepHead(3, 8, 2, (1e-3, 1e-3), DECAYS)
    config = sweep[0]
    mistakes = {
        'model.backbone.frozen=False': r'set model\.backbone\.frozen=True',
        'optim_wrapper.optimizer.lr=0.1': 'remove lr from optim_wrapper',
        'val_evaluator.type=AccMetric': r"set its type to 'twlv_mm\.HeldOutMetric'",
    }
    for option, message in mistakes.items():
        with pytest.raises(ValueError, match=message):
            launch.main_train([config, '--work-dir', str(tmp_path), '--cfg-options', option])
    with pytest.raises(ValueError, match='leave --no-validate out'):
        launch.main_train([config, '--work-dir', str(tmp_path), '--no-validate'])
    with pytest.raises(ValueError, match='no probe of the sweep was chosen'):
        launch.main_test([config, '--work-dir', str(tmp_path)])


def test_published_sweep_has_the_20_settings_and_holds_out_training_videos():
    cfg = Config.fromfile(ROOT / 'configs/twlv/k400_attentive_sweep.py')
    with torch.device('meta'), DefaultScope.overwrite_default_scope('mmaction'):
        assert len(MODELS.build(cfg.model).cls_head.names) == 20
    training, heldout, test = (cfg[f'{name}_dataloader'].dataset for name in ('train', 'val', 'test'))
    for key in ('ann_file', 'data_prefix', 'of', 'share', 'seed'):
        assert training[key] == heldout[key]
    assert (training.part, heldout.part) == ('training', 'held-out')
    assert test.ann_file != heldout.ann_file
    assert 'part' not in test
