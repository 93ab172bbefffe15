"""results.json: the record of a test run that reports are made from."""

import math
import os.path as osp
import time
from numbers import Number

from mmengine.dist import master_only
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import BaseLoop

from twlv_mm.embeddings import encoder_of
from twlv_mm.encoders import file_sha256
from twlv_mm.records import provenance, write_json
from twlv_mm.records.results import RESULTS, TASKS, result_record
from twlv_mm.registry import HOOKS

from .encoder_training import check_probe, is_frozen
from .protocol import NOTES, check_stated, protocol_of
from .quiet_log import has_top5, is_top5
from .wrappers import dataset_parts, unwrapped


@HOOKS.register_module()
class ResultsHook(Hook):
    """Write ``results.json`` into the run's log folder at the end of every test.

    The file has: schema_version, task, dataset, protocol, metrics (in percent; null where not finite), encoder (name,
    source, weights_sha256, params, pretraining_sets, frozen; label if given), checkpoint (path, sha256; null if no
    checkpoint has the tested weights), training (how the weights were trained: run_plan, and trained_steps, which are
    fewer in a checkpoint of an earlier epoch; null where unknown), seed (of the training, if there was one), config
    (path, dump), versions, decoder (name, version; null if no video is decoded), wall_seconds of the test, hardware,
    date (ISO 8601). In a config::

        default_hooks = dict(
            results=dict(type='twlv_mm.ResultsHook', task='recognition_linear', dataset='kinetics400'))

    Args:
        task (str): One of ``TASKS``.
        dataset (str): Name of the dataset tested on.
        protocol (dict, optional): Requirements on the test, such as ``clips=4``, and the ``recipe`` of a training. The
            former are checked against :func:`protocol_of` the run, which results.json records.
        metric_scale (float): Factor from the metrics to percent: 100 for fractions, as of mmaction2's AccMetric and
            AVAMetric, 1 for metrics in percent.
        label (str, optional): Name of the encoder in reports, where its own is not enough.

    Raises:
        EncoderError: before a run, if the task is one of frozen encoders, and the encoder learns or has learned.
        ProtocolError: before a test, if ``protocol`` is not that of the run.
    """

    # After hooks that add to the metrics.
    priority = 'VERY_LOW'

    def __init__(self, task, dataset, protocol=None, metric_scale=100, label=None):
        if task not in TASKS:
            raise ValueError(f'unknown task {task!r} of ResultsHook; choose from {", ".join(TASKS)}')
        self.task = task
        self.dataset = dataset
        self.protocol = protocol or {}
        self.metric_scale = metric_scale
        self.label = label
        self._trained = {}  # meta of the checkpoint

    def after_load_checkpoint(self, runner, checkpoint):
        self._trained = checkpoint.get('meta') or {}

    def before_train(self, runner):
        model = unwrapped(runner.model)
        model.train()
        encoder = _encoder(model, runner.train_dataloader.dataset)
        frozen = is_frozen(encoder, getattr(runner.optim_wrapper, 'optimizer', None))
        check_probe(self.task, frozen, f'the encoder of {runner.cfg.filename} learns')
        if getattr(runner, 'plan', None) is not None:  # mmengine's own runner has none
            runner.plan['frozen'] = frozen

    def before_test(self, runner):
        plan = getattr(runner, 'plan', None) or {}
        self._encoder = _encoder(unwrapped(runner.model), runner.test_dataloader.dataset)
        if 'frozen' in plan:
            self._frozen, why = plan['frozen'], 'the encoder has learned in the training of the checkpoint'
        else:
            self._frozen, why = is_frozen(self._encoder), f'the encoder of {runner.cfg.filename} learns'
        check_probe(self.task, self._frozen, why)
        self._protocol = protocol_of(runner, unwrapped(runner.model))
        check_stated(self.protocol, self._protocol)

    def before_test_epoch(self, runner):
        self._start = time.perf_counter()

    @master_only
    def after_test_epoch(self, runner, metrics=None):
        label = {} if self.label is None else dict(label=self.label)
        notes = {name: value for name, value in self.protocol.items() if name in NOTES}
        if self._frozen is False and self.task != 'recognition_finetune':
            notes['fine_tuned'] = True
        trained = dict(seed=runner.seed, iter=runner.iter) if _has_trained(runner) else self._trained
        plan = getattr(runner, 'plan', None)
        record = result_record(
            self.task,
            self.dataset,
            notes | self._protocol,
            self._in_percent(metrics or {}, runner.logger, has_top5(runner.model)),
            encoder=provenance.encoder(self._encoder) | dict(frozen=self._frozen) | label,
            checkpoint=_checkpoint(runner),
            training=plan and plan | dict(trained_steps=trained.get('iter')),
            seed=trained.get('seed', runner.seed),
            config=dict(path=runner.cfg.filename, dump=runner.cfg.pretty_text),
            decoder=provenance.decoder(runner.cfg.get('test_dataloader')),
            wall_seconds=time.perf_counter() - self._start,
            processes=runner.world_size,
        )
        path = osp.join(runner.log_dir, RESULTS)
        write_json(path, record)
        runner.logger.info(f'Results are in {path}')

    def _in_percent(self, metrics, logger, top5):
        percent = {}
        for name, value in metrics.items():
            if is_top5(name) and not top5:
                continue
            if not isinstance(value, Number):
                logger.warning(f'Metric {name} is a {type(value).__name__}, not a number: it is not in results.json.')
                continue
            value = float(value) * self.metric_scale
            if not math.isfinite(value):
                logger.warning(f'Metric {name} is {value}: results.json has null in its place.')
                value = None
            elif value > 100 and self.metric_scale != 1:
                logger.warning(
                    f'Metric {name} would be {value} percent: if it already is in percent, set metric_scale=1 in the '
                    "config's ResultsHook."
                )
            percent[name] = value
        return percent


def _encoder(model, dataset):
    """The encoder of a model, or without its weights the one that made the embeddings which the model reads."""
    backbone = getattr(model, 'backbone', None)
    settings = getattr(dataset_parts(dataset)[0], 'metainfo', {}).get('settings')
    return encoder_of(settings) if backbone is None and settings else backbone


def _has_trained(runner):
    # mmengine builds the training loop only in order to train: a runner that has one tests what it has trained.
    return isinstance(runner._train_loop, BaseLoop)


def _checkpoint(runner):
    path = _last_checkpoint(runner) if _has_trained(runner) else runner.cfg.get('load_from')
    if path is None:
        return None
    return dict(path=path, sha256=file_sha256(path) if osp.isfile(path) else None)


def _last_checkpoint(runner):
    """Path of the checkpoint saved at this point of training, or None."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook):
            step = runner.epoch if hook.by_epoch else runner.iter
            path = osp.join(hook.out_dir, hook.filename_tmpl.format(step))
            # Not a file of that name from an earlier run in the work dir.
            written = hook.last_ckpt or (runner._load_from if runner._resume else None) or ''
            return path if osp.basename(written) == osp.basename(path) and osp.isfile(path) else None
    return None
