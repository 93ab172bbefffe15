"""A kill or a full disk while mmengine saves can lose the only checkpoint.

mmengine 0.10.7's CheckpointHook removes the outdated or the previous best checkpoint before it writes the new one, and
writes checkpoints and ``last_checkpoint`` in place. Here, nothing is removed until the new checkpoint is complete on
disk and named in ``last_checkpoint``. Saving also skips the two extra copies that mmengine makes in memory.
"""

import functools
import os
import os.path as osp

import mmengine.runner
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import checkpoint
from mmengine.runner import runner as runner_module

from twlv_mm.records import write_tensors, write_text


def apply():
    """Make saving crash-safe."""
    upstream = checkpoint.save_checkpoint
    if hasattr(upstream, '__wrapped__'):
        return

    @functools.wraps(upstream)
    def save_checkpoint(content, filename, file_client_args=None, backend_args=None):
        if file_client_args or not isinstance(get_file_backend(filename, backend_args=backend_args), LocalBackend):
            upstream(content, filename, file_client_args, backend_args)
            return
        os.makedirs(osp.dirname(filename) or '.', exist_ok=True)
        write_tensors(filename, content)

    for module in (checkpoint, runner_module, mmengine.runner):
        module.save_checkpoint = save_checkpoint

    save_best = CheckpointHook._save_best_checkpoint

    @functools.wraps(save_best)
    def save_best_checkpoint(self, runner, metrics):
        if not self.save_best:  # without training, the hook has no file backend
            return
        _update_paths(self, runner)
        backend, self.file_backend = self.file_backend, _RemovesLater(self.file_backend)
        try:
            save_best(self, runner, metrics)
            best = [getattr(self, 'best_ckpt_path', None), *getattr(self, 'best_ckpt_path_dict', {}).values()]
            self.file_backend.remove_now(but=best)
        finally:
            self.file_backend = backend

    CheckpointHook._save_best_checkpoint = save_best_checkpoint
    CheckpointHook._save_checkpoint_with_step = _save_checkpoint_with_step


def _save_checkpoint_with_step(self, runner, step, meta):
    """Save a checkpoint, name it in ``last_checkpoint``, and only then remove the outdated ones."""
    name = self.filename_tmpl.format(step)
    self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
    hub = runner.message_hub
    hub.update_info('last_ckpt', self.last_ckpt)
    kept = []
    if self.max_keep_ckpts > 0:
        # The outdated one stays in the saved list: if this run is killed before removing it, the resumed run does.
        kept = [one for one in self.keep_ckpt_ids if one != step] + [step]
        hub.update_info('keep_ckpt_ids', kept)
    runner.save_checkpoint(
        self.out_dir,
        name,
        self.file_client_args,
        save_optimizer=self.save_optimizer,
        save_param_scheduler=self.save_param_scheduler,
        meta=meta,
        by_epoch=self.by_epoch,
        backend_args=self.backend_args,
        **self.args,
    )
    if is_main_process():
        write_text(osp.join(runner.work_dir, 'last_checkpoint'), self.last_ckpt)
    if self.max_keep_ckpts > 0:
        self.keep_ckpt_ids.clear()
        self.keep_ckpt_ids.extend(kept)  # a deque, which keeps the last max_keep_ckpts
        hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        if is_main_process():
            for outdated in kept[: -self.max_keep_ckpts]:
                name = self.filename_tmpl.format(outdated)
                _remove(self.file_backend, self.file_backend.join_path(self.out_dir, name))


def _update_paths(hook, runner):
    """Point a resumed run's earlier checkpoints to its work dir, which may have been moved."""
    present = hook.filename_tmpl.format(runner.epoch if hook.by_epoch else runner.iter)
    if hook.file_backend.isfile(path := hook.file_backend.join_path(hook.out_dir, present)):
        hook.last_ckpt = path  # copied if its score turns out to be the best
    paths = getattr(hook, 'best_ckpt_path_dict', {})
    for key, path in paths.items():
        paths[key] = path and hook.file_backend.join_path(hook.out_dir, osp.basename(path))
    if path := getattr(hook, 'best_ckpt_path', None):
        hook.best_ckpt_path = hook.file_backend.join_path(hook.out_dir, osp.basename(path))


def _remove(backend, path):
    if backend.isfile(path):
        backend.remove(path)
    elif backend.isdir(path):  # deepspeed's
        backend.rmtree(path)


class _RemovesLater:
    """A file backend that postpones removals."""

    def __init__(self, backend):
        self._backend = backend
        self._outdated = []

    def __getattr__(self, name):
        return getattr(self._backend, name)

    def remove(self, path):
        self._outdated.append(path)

    rmtree = remove

    def remove_now(self, but):
        for path in self._outdated:
            if path not in but:
                _remove(self._backend, path)
