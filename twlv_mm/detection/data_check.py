"""Checks boxes, videos and proposals in AVA's format before a run."""

from pickle import UnpicklingError

from mmengine.registry import init_default_scope

from twlv_mm.engine.dataset_check import DatasetCheckHook
from twlv_mm.engine.wrappers import dataset_parts
from twlv_mm.records import raise_if_system
from twlv_mm.registry import DATASETS, HOOKS

from .ava_checks import DataReport, check_dataset
from .ava_dataset import AVAVideoDataset


@HOOKS.register_module()
class CheckAVAHook(DatasetCheckHook):
    """Check the datasets of a run in AVA's format before it starts, and the model's number of classes.

    All errors come in one ValueError, warnings go to the log; see :func:`~twlv_mm.detection.ava_checks.check_dataset`.
    In a config::

        default_hooks = dict(data=dict(type='twlv_mm.CheckAVAHook'))
    """

    def check(self, runner, model, *datasets):
        # An encoder may have a num_classes of its own.
        parts = [part for name, part in model.named_children() if name != 'backbone']
        modules = [model, *(module for part in parts for module in part.modules())]
        num_classes = {getattr(module, 'num_classes', None) for module in modules} - {None}
        report = check_datasets(datasets, num_classes)
        for warning in report.warnings:
            runner.logger.warning(warning)
        if report.errors:
            raise ValueError('the data cannot be used as they are:\n- ' + '\n- '.join(report.errors))


def check_datasets(datasets, num_classes=()):
    """Check AVAVideoDatasets, also within wrappers; see :func:`~twlv_mm.detection.ava_checks.check_dataset`."""
    errors, warnings = {}, {}
    for dataset in datasets:
        for part in _parts(dataset):
            report = check_dataset(part, num_classes)
            errors.update(dict.fromkeys(report.errors))
            warnings.update(dict.fromkeys(report.warnings))
    return DataReport(list(errors), list(warnings))


def check_config(cfg):
    """Check the datasets of a run's config without building its model; failing to build one is an error of the
    report."""
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    loaders = [cfg.get(f'{part}_dataloader') for part in ('train', 'val', 'test')]
    heads = {key: value for key, value in cfg.get('model', {}).items() if key != 'backbone'}
    configs, num_classes = [], set(_values(heads, 'num_classes'))
    for loader in loaders:
        if loader is not None and loader.dataset not in configs:
            configs.append(loader.dataset)
    report = DataReport([], [])
    for config in configs:
        try:
            found = check_datasets([DATASETS.build(config)], num_classes)
        except (ValueError, OSError, UnpicklingError) as error:
            raise_if_system(error, config.get('ann_file', ''))
            found = DataReport([str(error)], [])
        for sentences, more in zip(report, found, strict=True):
            sentences += [sentence for sentence in more if sentence not in sentences]
    return report


def _values(config, key):
    """Values of a key anywhere in a config."""
    if isinstance(config, dict):
        for name, value in config.items():
            yield from [value] if name == key else _values(value, key)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _values(value, key)


def _parts(dataset):
    parts = dataset_parts(dataset)
    for part in parts:
        if not isinstance(part, AVAVideoDataset):
            raise TypeError(f'CheckAVAHook checks AVAVideoDataset, not {type(part).__name__}: remove the hook')
        part.full_init()
    return parts
