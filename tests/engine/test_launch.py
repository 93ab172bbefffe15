from pathlib import Path
from types import SimpleNamespace

import mmengine
import pytest

from twlv_mm.engine import AutocastOptimWrapper, launch


@pytest.fixture
def config_of(monkeypatch):
    """Gives the config that a command line leads to, without running it."""
    captured = []
    runner = SimpleNamespace(train=lambda: None, test=lambda: None)
    monkeypatch.setattr(launch, 'build_runner', lambda cfg: captured.append(cfg) or runner)

    def config_of(main, *arguments):
        main([str(argument) for argument in arguments])
        return captured.pop()

    return config_of


@pytest.fixture
def plain_config(tmp_path):
    path = tmp_path / 'plain.py'
    path.write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n"
        "test_dataloader = dict()\ntest_evaluator = dict(type='AccMetric')\n"
        "default_hooks = dict(logger=dict(type='LoggerHook'))\n"
    )
    return str(path)


def error_of(main, refused, *arguments):
    return refused(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize('main', [launch.main_train, launch.main_test])
def test_missing_config_is_named(main, refused):
    assert 'config nowhere.py does not exist' in error_of(main, refused, 'nowhere.py')


def test_missing_base_config_is_named(tmp_path, refused):
    (tmp_path / 'child.py').write_text("_base_ = ['parent.py']\n")
    assert 'parent.py' in error_of(launch.main_train, refused, tmp_path / 'child.py')


def test_missing_checkpoint_is_named(plain_config, refused):
    assert 'checkpoint no.pth does not exist' in error_of(launch.main_test, refused, plain_config, 'no.pth')
    assert 'checkpoint no.pth does not exist' in error_of(
        launch.main_train, refused, plain_config, '--resume', 'no.pth'
    )
    folder = str(Path(__file__).parent)
    assert f'{folder} is a folder: give a file' in error_of(launch.main_test, refused, plain_config, folder)


def test_config_without_a_test_is_reported_before_anything_runs(refused):
    config = Path(__file__).parents[2] / 'configs/synthetic/pretrain_pixels.py'
    assert 'pretrain_pixels.py has no test_dataloader' in error_of(launch.main_test, refused, config)
    assert 'pretrain_pixels.py has no test_dataloader' in error_of(launch.main_train, refused, config, '--test')


def test_auto_scale_lr_says_which_key_is_missing(plain_config, refused):
    error = error_of(launch.main_train, refused, plain_config, '--auto-scale-lr')
    assert 'auto_scale_lr = dict(base_batch_size=' in error


def test_amp_refuses_an_unknown_optim_wrapper(plain_config, refused):
    with open(plain_config, 'a') as file:
        file.write("optim_wrapper['type'] = 'ApexOptimWrapper'\n")
    assert "'ApexOptimWrapper'" in error_of(launch.main_train, refused, plain_config, '--amp')


def test_dump_and_show_say_what_they_need(plain_config, refused):
    assert 'must end with .pkl' in error_of(launch.main_test, refused, plain_config, '--dump', 'scores.json')
    assert 'default_hooks.visualization' in error_of(launch.main_test, refused, plain_config, '--show-dir', 'drawn')


def test_show_dir_says_what_draws_recognition(refused):
    config = Path(__file__).parents[2] / 'configs/synthetic/motion_linear.py'
    assert 'tools/infer.py' in error_of(launch.main_test, refused, config, '--show-dir', 'drawn')


def test_auto_scale_lr_is_switched_on_where_the_config_has_it(plain_config, config_of):
    with open(plain_config, 'a') as file:
        file.write('auto_scale_lr = dict(enable=False, base_batch_size=64)\n')
    assert config_of(launch.main_train, plain_config, '--auto-scale-lr').auto_scale_lr.enable


def test_work_dir_is_named_after_the_config_unless_given(plain_config, config_of):
    assert config_of(launch.main_train, plain_config).work_dir == 'work_dirs/plain'
    with open(plain_config, 'a') as file:
        file.write("work_dir = 'mine'\n")
    assert config_of(launch.main_test, plain_config).work_dir == 'mine'
    assert config_of(launch.main_test, plain_config, '--work-dir', 'here').work_dir == 'here'


def test_randomness_of_the_command_line_wins_over_the_config(plain_config, config_of):
    with open(plain_config, 'a') as file:
        file.write('randomness = dict(seed=1, deterministic=True)\n')
    assert config_of(launch.main_train, plain_config).randomness == dict(seed=1, deterministic=True)
    given = config_of(launch.main_train, plain_config, '--seed', 0, '--diff-rank-seed').randomness
    assert given == dict(seed=0, deterministic=True, diff_rank_seed=True)


@pytest.mark.parametrize('main', [launch.main_train, launch.main_test])
def test_cfg_options_win_over_everything(main, plain_config, config_of):
    options = ['work_dir=there', 'launcher=slurm', 'randomness.seed=3', 'load_from=s3://elsewhere.pth']
    seed = ['--seed', 1] if main is launch.main_train else []
    cfg = config_of(main, plain_config, '--work-dir', 'here', *seed, '--cfg-options', *options)
    assert (cfg.work_dir, cfg.launcher, cfg.load_from) == ('there', 'slurm', 's3://elsewhere.pth')
    assert cfg.randomness.seed == 3


@pytest.mark.parametrize('main', [launch.main_train, launch.main_test])
def test_option_sets_a_variable_and_all_that_is_made_of_it(main, plain_config, config_of, refused):
    with open(plain_config, 'a') as file:
        file.write("column, unused = 'clip', 1\nmodel = dict(column=f'by {column}')\n")
    assert config_of(main, plain_config, '--cfg-options', 'column=video').model.column == 'by video'
    assert config_of(main, plain_config, '--cfg-options', 'model.column=video').model.column == 'video'
    assert 'changes nothing' in error_of(main, refused, plain_config, '--cfg-options', 'unused=2')


@pytest.mark.parametrize('main', [launch.main_train, launch.main_test])
@pytest.mark.parametrize(
    ('option', 'meant'), [('encoder_weigths=a.pth', 'encoder_weights'), ('optim_wraper.type=a', 'optim_wrapper')]
)
def test_unknown_option_is_refused_with_close_matches(main, option, meant, plain_config, refused):
    assert f'did you mean {meant}?' in error_of(main, refused, plain_config, '--cfg-options', option)


@pytest.mark.parametrize('main', [launch.main_train, launch.main_test])
def test_option_of_what_the_runner_reads_need_not_be_in_the_config(main, plain_config, config_of):
    assert config_of(main, plain_config, '--cfg-options', 'custom_hooks=[]').custom_hooks == []


def test_no_validate_leaves_validation_out(tiny_config, config_of):
    cfg = config_of(launch.main_train, tiny_config, '--no-validate')
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None


def test_show_dir_sets_the_hook_that_draws(plain_config, config_of):
    with open(plain_config, 'a') as file:
        file.write("default_hooks['visualization'] = dict(type='twlv_mm.DetectionVisualizationHook')\n")
    hook = config_of(launch.main_test, plain_config, '--show-dir', 'drawn', '--interval', 5).default_hooks.visualization
    assert (hook.enable, hook.show, hook.out_dir, hook.interval) == (True, False, 'drawn', 5)


def test_testing_does_not_resume_a_training(plain_config, config_of):
    with open(plain_config, 'a') as file:
        file.write('resume = True\n')
    assert config_of(launch.main_test, plain_config).resume is False


def test_amp_trains_and_tests_in_bf16_with_the_settings_of_the_config(tiny_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one_epoch = ['--cfg-options', 'train_cfg.max_epochs=1', 'train_dataloader.num_workers=0']
    runner = launch.main_train([tiny_config, '--amp', '--seed', '7', *one_epoch])
    assert isinstance(runner.optim_wrapper, AutocastOptimWrapper)
    assert runner.optim_wrapper.clip_grad_kwargs == dict(max_norm=10)
    assert runner.seed == 7

    scores = {}
    for name, amp in (('fp32', []), ('bf16', ['--amp'])):
        launch.main_test([tiny_config, 'work_dirs/tiny/epoch_1.pth', '--dump', f'{name}.pkl', *amp])
        scores[name] = [float(sample['pred_score'][1]) for sample in mmengine.load(f'{name}.pkl')]
    assert scores['fp32'] != scores['bf16']
    assert scores['fp32'] == pytest.approx(scores['bf16'], abs=0.02)


def test_amp_replaces_the_loss_scale_of_mmengines_amp(plain_config, config_of):
    with open(plain_config, 'a') as file:
        file.write("optim_wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic', accumulative_counts=2)\n")
    wrapper = config_of(launch.main_train, plain_config, '--amp').optim_wrapper
    assert wrapper.type == 'twlv_mm.AutocastOptimWrapper'
    assert wrapper.accumulative_counts == 2
    assert 'loss_scale' not in wrapper


def test_encoder_weights_reach_the_backbone_of_a_config_of_its_own(config_of, tmp_path, refused):
    """Those that inherit _base_/encoder.py: test_encoder_check.py."""
    (tmp_path / 'encoder.pth').touch()
    base = "encoder_weights = None\nmodel = dict(backbone=dict(type='twlv_mm.VideoViT', weights=encoder_weights))\n"
    (tmp_path / 'base.py').write_text(base + 'test_dataloader = dict()\n')
    cfg = config_of(launch.main_test, tmp_path / 'base.py', '--cfg-options', f'encoder_weights={tmp_path}/encoder.pth')
    assert cfg.model.backbone.weights == cfg.encoder_weights == f'{tmp_path}/encoder.pth'
    # Its variable has been used by the time that a child has another value for it.
    (tmp_path / 'child.py').write_text(f"_base_ = ['base.py']\nencoder_weights = '{tmp_path}/encoder.pth'\n")
    assert 'but the encoder has weights=None' in error_of(launch.main_train, refused, tmp_path / 'child.py')


def test_encoder_weights_that_are_not_there_are_named(tmp_path, refused):
    (tmp_path / 'base.py').write_text("encoder_weights = 'nowhere.pth'\nmodel = dict(backbone=dict())\n")
    assert 'nowhere.pth (encoder_weights)' in error_of(launch.main_test, refused, tmp_path / 'base.py')
