"""What tools/train.py and tools/test.py do: from arguments to a config, from a config to a run.

The arguments are mmaction2's. Differences: ``--test`` ends a training with its test; ``--seed`` and its companions
override the config's ``randomness``; ``--amp`` is bf16, also on the CPU and in tests; ``--cfg-options`` override
everything; testing needs no checkpoint.
"""

import argparse
import os
import os.path as osp
from contextlib import contextmanager

from mmengine.config import DictAction
from mmengine.logging import MMLogger
from mmengine.registry import RUNNERS

from twlv_mm.compat.config_variables import ConfigVariableError, settings
from twlv_mm.encoders import EncoderError
from twlv_mm.system_errors import dead_workers_ignored, inputs_at_fault

from .config_reading import read_with_variables
from .encoder_check import check_encoder
from .finite_hook import NotFiniteError
from .protocol import ProtocolError
from .quiet_log import quieten
from .runner import CheckpointError, Runner
from .work_dir import ResumeError, WorkDirError, how_to_go_on

OPTIM_WRAPPERS_OF_AMP = ('OptimWrapper', 'AmpOptimWrapper', 'AutocastOptimWrapper')


class UsageError(ValueError):
    """The command line asks for something impossible; the message says what to change."""


def main_train(argv=None):
    """Train as ``tools/train.py`` does.

    Args:
        argv (list[str], optional): Arguments; those of the process if None.

    Returns:
        Runner: after training.

    Raises:
        SystemExit: code 2, after a message on stderr, if arguments, config and files do not fit together.
    """
    parser = training_parser('Train (and validate) a model.')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from this checkpoint; without a value, from the latest in the work dir, if there is one',
    )
    parser.add_argument('--test', action='store_true', help='test the trained model afterwards, as tools/test.py does')
    args = parser.parse_args(argv)

    with one_line_errors(parser):
        cfg = train_config(args)
        if args.test:
            _check_test(cfg)  # before the training
        runner = None
        try:
            runner = build_runner(cfg)
            runner.train()
            if args.test:
                runner.test()
        except BaseException as error:
            if runner is not None and (getattr(runner, 'has_begun', True) or isinstance(error, KeyboardInterrupt)):
                with dead_workers_ignored():
                    error.advice = how_to_go_on(runner)
            if isinstance(error, OSError) and error.strerror and error.filename is None:  # such as a full disk
                error.filename = cfg.work_dir
            raise
    return runner


def main_test(argv=None):
    """Test as ``tools/test.py`` does, and return the metrics; otherwise as :func:`main_train`."""
    parser = _parser('Test (and evaluate) a model.')
    parser.add_argument('checkpoint', nargs='?', help='if left out, the model is tested as the config builds it')
    parser.add_argument('--dump', metavar='FILE', help='write the predictions to this .pkl file')
    parser.add_argument('--show', action='store_true', help='show the predictions in a window')
    parser.add_argument('--show-dir', metavar='DIR', help='draw the predictions into this folder')
    parser.add_argument('--interval', type=int, default=1, help='draw every n-th sample')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds that a window stays open')
    args = parser.parse_args(argv)

    with one_line_errors(parser):
        cfg = test_config(args)
        _check_test(cfg)
        return build_runner(cfg).test()


def train_config(args):
    """The config of a training run.

    Args:
        args (argparse.Namespace): From :func:`training_parser`, and ``resume``: 'auto', a checkpoint or None.

    Raises:
        UsageError: if a file is missing, or the config lacks what an argument needs.
        EncoderError: if the config contradicts its encoder.
    """
    cfg = _read_config(args)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        _use_autocast_in_training(cfg)
    if args.auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            raise UsageError(
                f'--auto-scale-lr needs the batch size that the learning rate of {args.config} is meant for: add '
                'auto_scale_lr = dict(base_batch_size=256), say, to the config'
            )
        cfg.auto_scale_lr.enable = True

    cfg.randomness = {'seed': None, **(cfg.get('randomness') or {})}
    if args.seed is not None:
        cfg.randomness.seed = args.seed
    for flag in ('diff_rank_seed', 'deterministic'):
        if getattr(args, flag):
            cfg.randomness[flag] = True

    if args.resume is not None:
        cfg.resume = 'auto' if args.resume == 'auto' else True
        if args.resume != 'auto':
            cfg.load_from = args.resume
    cfg.merge_from_dict(args.cfg_options)
    check_encoder(cfg)
    _check_checkpoint(cfg)
    return cfg


def test_config(args):
    """The config of a test run; ``args`` are those of ``tools/test.py``, errors as for :func:`train_config`."""
    cfg = _read_config(args)
    cfg.resume = False
    if args.checkpoint is not None:
        cfg.load_from = args.checkpoint
    if args.show or args.show_dir is not None:
        if 'visualization' not in cfg.get('default_hooks', {}):
            raise UsageError(
                f'--show and --show-dir need default_hooks.visualization, a hook that draws, and {args.config} has '
                "none (mmaction2's VisualizationHook fails on every sample). tools/infer.py draws the results of "
                'single videos'
            )
        cfg.default_hooks.visualization.update(
            enable=True, show=args.show, out_dir=args.show_dir, interval=args.interval, wait_time=args.wait_time
        )
    cfg.merge_from_dict(args.cfg_options)
    check_encoder(cfg)
    if args.dump is not None:
        # After the options, which refer to the evaluator as the config has it.
        _dump_predictions(cfg, args.dump)
    _check_checkpoint(cfg)
    return cfg


def _check_test(cfg):
    if cfg.get('test_dataloader') is None:
        raise UsageError(f'{cfg.filename} has no test_dataloader, so there is nothing to test')


def build_runner(cfg):
    """Build the runner of a config, of its ``runner_type`` if it has one."""
    with inputs_at_fault():
        return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def training_parser(description):
    """The arguments of tools that train, except for ``--resume``."""
    parser = _parser(description)
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate to the total batch size')
    parser.add_argument('--seed', type=int, help="random seed; overrides the config's randomness")
    parser.add_argument('--diff-rank-seed', action='store_true', help='give every process its own seed')
    parser.add_argument('--deterministic', action='store_true', help='use deterministic algorithms only')
    return parser


@contextmanager
def one_line_errors(parser):
    """Turn errors that the user can fix into a message on stderr and exit code 2."""
    try:
        yield
    except (
        *(UsageError, CheckpointError, ConfigVariableError, EncoderError, NotFiniteError, ProtocolError, ResumeError),
        WorkDirError,
    ) as error:
        parser.exit(2, f'{parser.prog}: error: {error}\n')


def _parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='folder for logs and results (default: work_dirs/<name of the config>)')
    parser.add_argument('--amp', action='store_true', help='compute in bf16 where that is safe (autocast)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='override settings of the config, such as train_cfg.max_epochs=10 or key="[(a,b),(c,d)]"; takes '
        'precedence over the other arguments',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by some launchers')
    return parser


def _read_config(args):
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    quieten(MMLogger.get_current_instance())
    if not osp.isfile(args.config):
        raise UsageError(f'config {args.config} does not exist')
    args.cfg_options = dict(args.cfg_options)
    encoder = {name: args.cfg_options.pop(name, None) for name in ('encoder', 'encoder_weights')}
    overrides = [name for name in args.cfg_options if name.startswith('encoder_overrides.')]
    overrides = {name.partition('.')[2]: args.cfg_options.pop(name) for name in overrides}
    variables = [name for name in args.cfg_options if name.partition('.')[0] not in settings()]
    options = {name: args.cfg_options.pop(name) for name in variables}
    try:
        cfg = read_with_variables(args.config, options, **encoder, encoder_overrides=overrides or None)
    except OSError as error:
        raise UsageError(f'{args.config} cannot be read: {error}') from error
    weights = cfg.get('encoder_weights')
    if weights is not None and not osp.exists(weights):
        raise UsageError(f'file {weights} (encoder_weights) does not exist')
    if encoder['encoder_weights'] and not ((cfg.get('model') or {}).get('backbone') or cfg.get('extraction')):
        raise UsageError(
            'encoder_weights applies to configs with an encoder, but this one has none: it reads stored embeddings'
        )
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs', osp.splitext(osp.basename(args.config))[0])
    if args.amp:
        cfg.setdefault('default_hooks', {}).setdefault('autocast', dict(type='twlv_mm.AutocastHook'))
    return cfg


def _use_autocast_in_training(cfg):
    wrapper = cfg.optim_wrapper
    kind = wrapper.get('type', 'OptimWrapper')
    name = (kind if isinstance(kind, str) else kind.__name__).split('.')[-1]
    if name not in OPTIM_WRAPPERS_OF_AMP:
        raise UsageError(
            f"--amp cannot change the config's optim_wrapper of type {name!r}, only "
            f'{", ".join(OPTIM_WRAPPERS_OF_AMP)}: leave --amp out and choose the precision in the config'
        )
    wrapper.type = 'twlv_mm.AutocastOptimWrapper'
    # An argument of AmpOptimWrapper; ours scales wherever the dtype needs it.
    wrapper.pop('loss_scale', None)


def _dump_predictions(cfg, path):
    if not path.endswith(('.pkl', '.pickle')):
        raise UsageError(f'--dump {path}: the name must end with .pkl')
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list | tuple) else [cfg.test_evaluator]
    cfg.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=path)]


def _check_checkpoint(cfg):
    path = cfg.get('load_from')
    if path and '://' not in path and not osp.isfile(path):
        how = 'is a folder: give a file in it, such as epoch_1.pth' if osp.isdir(path) else 'does not exist'
        raise UsageError(f'checkpoint {path} {how}')
