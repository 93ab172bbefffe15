"""Stops a run before a non-finite gradient reaches the weights."""

import math
import os.path as osp

import torch
from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import Hook

from twlv_mm.records import write_json
from twlv_mm.registry import HOOKS

from .wrappers import unwrapped


class NotFiniteError(RuntimeError):
    """A gradient is not finite; the message says what was saved and how to repeat the step."""


@HOOKS.register_module()
class FiniteGradientHook(Hook):
    """Log the norm of the gradient, and where it is not finite stop with everything needed to repeat the step.

    At step N, the work dir gets ``not_finite_N.pth``, the whole state before the step's batches, with weights that are
    still good, and ``not_finite_N.json``: seed, gradient norm, and for each process the losses and the sources of the
    samples since the last update. Resuming from the former gives the same batches again.

    Raises:
        NotFiniteError: in all processes, before the optimizer's step.
    """

    def before_train(self, runner):
        self._batches = []
        model = unwrapped(runner.model)
        model.register_forward_hook(self._keep_losses)
        runner.optim_wrapper.optimizer.register_step_pre_hook(lambda *_: self._check(runner))

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        samples = [sample.get('source') for sample in data_batch.get('data_samples') or []]
        self._batches.append(dict(step=runner.iter, losses={}, samples=samples))

    def _keep_losses(self, model, args, outputs):
        if self._batches and isinstance(outputs, dict):
            self._batches[-1]['losses'] = {key: torch.as_tensor(value).detach() for key, value in outputs.items()}

    def _check(self, runner):
        batches, self._batches = self._batches, []
        if not math.isfinite(norm := self._norm(runner)):
            self._stop(runner, norm, batches)

    def _norm(self, runner):
        wrapper = runner.optim_wrapper
        clip = wrapper.clip_grad_kwargs or {}
        if 'max_norm' in clip:  # the wrapper has computed it, and logs it
            return runner.message_hub.get_scalar(f'train/{wrapper.grad_name}').current()
        parameters = [parameter for group in wrapper.optimizer.param_groups for parameter in group['params']]
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, math.inf))
        runner.message_hub.update_scalar('train/grad_norm', norm)
        return norm

    def _stop(self, runner, norm, batches):
        step, name = runner.iter, f'not_finite_{runner.iter}'
        for batch in batches:
            values = {key: value.double().mean().item() for key, value in batch['losses'].items()}
            # json has no NaN
            batch['losses'] = {key: value if math.isfinite(value) else str(value) for key, value in values.items()}
        # Accumulated gradients are not saved, so the state is the one before the first batch of the step.
        meta = dict(iter=batches[0]['step'] if batches else step)
        runner.save_checkpoint(runner.work_dir, f'{name}.pth', by_epoch=False, meta=meta)
        everyone = all_gather_object(batches)
        path = osp.join(runner.work_dir, name)
        bad = [
            f'{key} of process {rank} at step {batch["step"]} is {value}'
            for rank, batches in enumerate(everyone)
            for batch in batches
            for key, value in batch['losses'].items()
            if isinstance(value, str)
        ]
        if is_main_process():
            record = dict(step=step, seed=runner.seed, grad_norm=str(norm), processes=everyone)
            write_json(f'{path}.json', record)
        raise NotFiniteError(
            f'the gradient of step {step} is not finite (norm {norm}; {"; ".join(bad) or "all losses are finite"}). '
            f'The weights are unchanged: {path}.pth is the state before, {path}.json has the samples and the '
            f'losses. --resume {path}.pth repeats the step; --resume goes on from the last regular checkpoint, '
            'and meets the same samples. Lower the learning rate or clip_grad, or remove the sample.'
        )
