"""mmengine's runner, with fixes that evaluations need."""

import atexit
import gc
import os
import re
from contextlib import contextmanager, nullcontext
from datetime import timedelta

import torch
from mmengine.device import get_device
from mmengine.dist import is_distributed, is_main_process, master_only
from mmengine.runner import BaseLoop, CheckpointLoader
from mmengine.runner import Runner as MMEngineRunner

from twlv_mm.embeddings import extract_splits
from twlv_mm.records import remove_leftovers, write_text
from twlv_mm.system_errors import inputs_at_fault

from .encoder_training import note_weights, training_sets, weights_origin
from .fully_shard import share_optimizer_state
from .quiet_log import QuietLogProcessor, environment_line, quieten
from .resuming import DueValidationHook, check_optimizer, compare_processes
from .run_plan import state_plan, warmup_steps
from .work_dir import alone_in, has_checkpoints, latest_checkpoint
from .wrappers import dataset_parts, unwrapped

MISMATCH = 'The model and loaded state dict do not match exactly'


class CheckpointError(ValueError):
    """A checkpoint does not fit the model of the config."""


class Runner(MMEngineRunner):
    """mmengine's runner, which also

    - refuses to test or resume from a checkpoint of another model, where mmengine only prints the differences. Training
      that starts from ``load_from`` may use part of the weights; a warning counts the rest.
    - with ``resume='auto'``, resumes from the work dir's ``last_checkpoint``, or starts anew, from ``load_from`` if
      given, where there are no checkpoints. Whenever a run is killed, ``last_checkpoint`` names a complete one, and a
      validation that may not have finished is repeated.
    - runs several processes on machines without an accelerator, with gloo.
    - saves and resumes models that ``twlv_mm.FullyShard`` has divided among the processes.
    - logs before the first step how long it trains and in what batches, and warns where that makes no sense.
    - extracts the embeddings that a config asks for (``extraction``, see :func:`twlv_mm.embeddings.extract_splits`)
      before it trains or tests, each process its share of the videos.

    Args: see :class:`mmengine.runner.Runner`.

    Raises:
        CheckpointError: from ``test`` and ``train``, if the checkpoint is another model's.
        ResumeError: from ``train``, if the checkpoint to resume from is missing or damaged, or lacks the optimizer's
            state.
        WorkDirError: from ``train``, if another run is training in the work dir.
    """

    plan = None  # of the training that made the weights, see run_plan
    has_begun = False  # training or testing on batches
    _is_stated = False

    def train(self):
        with self._begins():
            return self._train()

    def test(self):
        with self._begins():
            self._extract()
            return super().test()

    @contextmanager
    def _begins(self):
        self.has_begun = False
        with inputs_at_fault(lambda: self.has_begun):
            yield

    def call_hook(self, fn_name, **kwargs):
        self.has_begun |= fn_name in ('before_train_epoch', 'before_test_epoch')
        super().call_hook(fn_name, **kwargs)

    def _train(self):
        gpus = self.cfg.get('gpus')
        if gpus is not None and gpus != self.world_size:
            self.logger.warning(
                f'The config accumulates gradients for {gpus} processes, but there are {self.world_size}: a batch is '
                f'{self.world_size / gpus:g} times as large as intended. torchrun and tools/slurm_run.sh set '
                f'WORLD_SIZE={self.world_size}; without them, set it in the environment before the command.'
            )
        self._extract()
        with alone_in(self.work_dir) if is_main_process() else nullcontext():
            return super().train()

    def build_logger(self, log_level='INFO', log_file=None, **kwargs):
        """Environment, config and hooks go to the file only."""
        logger = super().build_logger(log_level, log_file, **kwargs)
        quieten(logger)
        return logger

    def build_log_processor(self, log_processor):
        if isinstance(log_processor, dict) and log_processor.get('type', 'LogProcessor') == 'LogProcessor':
            log_processor = QuietLogProcessor(**{key: value for key, value in log_processor.items() if key != 'type'})
        return super().build_log_processor(log_processor)

    def setup_env(self, env_cfg):
        """Start several processes on CPUs too, where mmengine would select a CUDA device and fail."""
        if self.distributed and not is_distributed() and get_device() == 'cpu':
            if self.launcher != 'pytorch':
                raise ValueError(
                    f'launcher {self.launcher!r} needs an accelerator, but this machine has none that torch can use: '
                    "start the processes with tools/dist_train.sh or tools/dist_test.sh (launcher 'pytorch')"
                )
            torch.distributed.init_process_group('gloo')
            atexit.register(_leave_group)
        super().setup_env(env_cfg)

    def wrap_model(self, model_wrapper_cfg, model):
        """On the CPU, DistributedDataParallel must not be given device numbers."""
        of_torch = 'FullyShard' not in str((model_wrapper_cfg or {}).get('type'))
        if self.distributed and get_device() == 'cpu' and of_torch:
            like_mmengine = dict(
                broadcast_buffers=False, find_unused_parameters=self.cfg.get('find_unused_parameters', False)
            )
            model_wrapper_cfg = {**(model_wrapper_cfg or like_mmengine), 'device_ids': None}
        return super().wrap_model(model_wrapper_cfg, model)

    def register_hooks(self, default_hooks=None, custom_hooks=None):
        super().register_hooks(default_hooks, custom_hooks)
        self.register_hook(DueValidationHook())

    def build_train_loop(self, loop):
        """Unreadable samples, which some datasets replace by others, are listed in the work dir."""
        built = super().build_train_loop(loop)
        for part in dataset_parts(built.dataloader.dataset):
            if hasattr(part, 'replacing'):
                part.replacing.file = os.path.join(self.work_dir, 'unreadable_samples.jsonl')
        return built

    def _init_model_weights(self):
        if not self._is_sharded:  # twlv_mm.FullyShard has initialised them
            super()._init_model_weights()

    @staticmethod
    def build_dataloader(dataloader, seed=None, diff_rank_seed=False):
        """``num_workers=0`` drops the settings of workers, and a loader without a batch is refused."""
        if isinstance(dataloader, dict) and not dataloader.get('num_workers'):
            of_workers = ('persistent_workers', 'prefetch_factor', 'timeout')
            dataloader = {key: value for key, value in dataloader.items() if key not in of_workers}
        if isinstance(dataloader, dict) and get_device() == 'cpu':
            dataloader = {key: value for key, value in dataloader.items() if key != 'pin_memory'}
        built = MMEngineRunner.build_dataloader(dataloader, seed, diff_rank_seed)
        if built.drop_last and len(built) == 0:
            raise ValueError(
                f'there are {len(built.sampler)} samples, fewer than a batch of {built.batch_size}, and drop_last '
                'leaves no batch: set drop_last=False, or a smaller batch_size'
            )
        return built

    def load_or_resume(self):
        if self._trains and is_main_process():
            remove_leftovers(self.work_dir)
        if not self._has_loaded and (self._resume == 'auto' or (self._resume and self._load_from is None)):
            latest = latest_checkpoint(self.work_dir, self.logger)
            self._resume = latest is not None
            if latest is not None:
                self._load_from = latest
            else:
                self.logger.warning(f'There is no checkpoint in {self.work_dir} to resume from: starting anew.')
        if not self._has_loaded and self._load_from is None and not self._trains and self._train_loop is not None:
            self.logger.warning('No checkpoint was given: the model is tested as the config builds it.')
        super().load_or_resume()
        if self._trains and not self._is_stated:
            if not self._resume and has_checkpoints(self.work_dir):
                self.logger.warning(
                    f'{self.work_dir} has checkpoints of an earlier run, which --resume would continue: this run '
                    'starts anew and replaces those of the same names.'
                )
            compare_processes(self, bool(self._resume))
            self.plan, self._is_stated = state_plan(self), True

    def load_checkpoint(self, filename, map_location='cpu', strict=False, revise_keys=((r'^module\.', ''),)):
        """``strict`` unless training starts from ``load_from``."""
        if self._is_sharded:
            map_location = 'cpu'  # each process reads the whole file, and keeps a part
        strict = strict or bool(self._resume) or not self._trains
        try:
            checkpoint = super().load_checkpoint(filename, map_location, strict, revise_keys)
        except RuntimeError as error:
            if MISMATCH not in str(error):
                raise
            raise CheckpointError(self._describe_mismatch(filename, str(error))) from None
        if not strict:
            self._warn_of_partial_load(filename, checkpoint, revise_keys)
        if self._resume and self._trains:
            check_optimizer(self, checkpoint, filename)
        note_weights(unwrapped(self.model), checkpoint, filename, same_run=strict)
        self.plan = (checkpoint.get('meta') or {}).get('plan')
        return checkpoint

    def build_optim_wrapper(self, optim_wrapper):
        built = super().build_optim_wrapper(optim_wrapper)
        if self._is_sharded and built is not optim_wrapper:
            share_optimizer_state(built.optimizer)
        return built

    def scale_lr(self, optim_wrapper, auto_scale_lr=None):
        """A batch is all samples of a step of the optimizer; mmengine overlooks accumulated ones."""
        super().scale_lr(optim_wrapper, auto_scale_lr)
        steps = getattr(optim_wrapper, '_accumulative_counts', 1)
        if (auto_scale_lr or {}).get('enable') and steps > 1:
            self.logger.info(f'Gradients are accumulated over {steps} steps: the learning rate is {steps} times that.')
            for group in optim_wrapper.optimizer.param_groups:
                group['lr'] *= steps

    def build_param_scheduler(self, scheduler):
        """A warm-up of fewer than two steps is left out; a schedule that begins after the run has ended is refused."""
        if isinstance(scheduler, list):
            # mmengine's LinearLR of one step never gets past its first factor, nor do the schedulers after it.
            steps = [warmup_steps(one, self._train_loop) for one in scheduler]
            kept = [one for one, warmup in zip(scheduler, steps, strict=True) if warmup is None or warmup >= 2]
            if len(kept) < len(scheduler):
                self.logger.info('There is no warm-up: it would have fewer than two steps.')
            scheduler = kept
        try:
            return super().build_param_scheduler(scheduler)
        except ValueError as error:
            if 'larger than begin' not in str(error):
                raise
            raise ValueError(
                f'a part of param_scheduler begins after the run has ended ({error}): set max_epochs (max_iters in '
                'pretraining), which warm-up and decay follow, instead of train_cfg'
            ) from error

    @master_only
    def dump_config(self):
        """Write the config into the work dir, replacing a link that may be there, and log the environment."""
        name = os.path.basename(self.cfg.filename or f'{self.timestamp}.py')
        write_text(os.path.join(self.work_dir, name), self.cfg.dump())
        self.logger.info(environment_line(self))

    def save_checkpoint(self, out_dir, filename, *args, **kwargs):
        """meta gets the origin of the encoder's weights and the datasets that they were trained on."""
        if is_main_process():
            kwargs['meta'] = {
                **(kwargs.get('meta') or {}),
                **weights_origin(self),
                **training_sets(self),
                'plan': self.plan,
            }
            super().save_checkpoint(out_dir, filename, *args, **kwargs)
        elif self._is_sharded:  # the first process gathers all parts of these, in this order
            self.model.state_dict()
            if kwargs.get('save_optimizer', True):
                self.optim_wrapper.state_dict()

    def _extract(self):
        if self.cfg.get('extraction') is None:
            return
        extract_splits(**self.cfg.extraction, shard=(self.rank, self.world_size))
        if self.distributed:
            # Some processes have more to do than others, and NCCL would time out waiting for them.
            torch.distributed.barrier(torch.distributed.new_group(backend='gloo', timeout=timedelta(days=30)))

    @property
    def _trains(self):
        # mmengine builds only the loop that runs; the others stay configs.
        return isinstance(self._train_loop, BaseLoop)

    @property
    def _is_sharded(self):
        return getattr(self.model, 'is_sharded', False)

    def _describe_mismatch(self, filename, message):
        reasons = [line.strip() for line in message.splitlines() if line.strip() and MISMATCH not in line]
        shown = '\n  '.join(reason if len(reason) < 300 else f'{reason[:300]}...' for reason in reasons[:4])
        more = f'\n  and {len(reasons) - 4} more' if len(reasons) > 4 else ''
        spec = getattr(getattr(unwrapped(self.model), 'backbone', None), 'spec', None)
        ours = getattr(spec, 'source', None)
        meta = CheckpointLoader.load_checkpoint(filename, map_location='cpu').get('meta', {})
        theirs = re.search(r"\b(?:source|arch)='([^']+)'", meta.get('cfg', ''))
        encoders = f' (encoder {ours}; the checkpoint has {theirs[1]})' if ours and theirs and theirs[1] != ours else ''
        return (
            f"{filename} does not hold the weights of this config's model{encoders}:\n  {shown}{more}\n"
            'Give the checkpoint of a run of this config, or the config of the run that wrote the checkpoint.'
        )

    def _warn_of_partial_load(self, filename, checkpoint, revise_keys):
        given = checkpoint.get('state_dict', checkpoint)
        for pattern, replacement in revise_keys:
            given = {re.sub(pattern, replacement, key): value for key, value in given.items()}
        wanted = unwrapped(self.model).state_dict()
        missing, unused = sorted(wanted.keys() - given.keys()), sorted(given.keys() - wanted.keys())
        if missing or unused:
            self.logger.warning(
                f"{filename} fits the model partly: {len(missing)} of the model's {len(wanted)} tensors are not in it "
                f'and keep their initial values ({", ".join(missing[:3])}...), {len(unused)} of its {len(given)} are '
                f'not used ({", ".join(unused[:3])}...).'
            )


def _leave_group():
    # gloo's threads must end before Python shuts down, or the finished process is sometimes aborted. They end with the
    # last reference to the group. A wrapped model holds one and lives on in the reference cycles of its runner; if that
    # were the last, the GIL would be held while waiting for threads that may need it to free a tensor. Only the Python
    # objects of the backends release the GIL in every supported torch; that of the group does not with torch 2.6.
    if is_distributed():
        group = torch.distributed.group.WORLD
        backends = [group._get_backend(device) for device in group._device_types]
        torch.distributed.destroy_process_group()
        gc.collect()
        del group, backends
