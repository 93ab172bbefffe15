"""What a run prints to the terminal: its environment, progress, warnings, scores. The log file has everything."""

import logging
import os.path as osp
import platform
import warnings

import torch
from mmengine.runner import LogProcessor

import twlv_mm

TOP = 5
LINES = 40  # of a table; larger ones are in a csv file, too
# Beginnings of messages that go to the log file only: nothing in them is decided by the user.
BEGIN_FOR_THE_FILE = (
    *('Config:', 'Exp name', 'Hooks will be executed', 'Saving checkpoint', 'System environment', 'Using env variable'),
    *('"FileClient" will be deprecated', '"HardDiskBackend" is the alias', 'Distributed training is not used'),
    *('Checkpoints will be saved', 'paramwise_options', 'The `end` of', 'Dataset ', 'Traceback '),
)

# One line for each parameter of a teacher or a moving average.
END_FOR_THE_FILE = ('is skipped since its requires_grad=False',)

FALSE_WARNINGS = (
    'This DataLoader will create',  # every epoch, on machines with fewer cores than the config has workers
    'Detected call of `scheduler.step',  # mmengine calls them in order, even when gradients are accumulated
)


def is_for_terminal(record):
    """Whether a log record goes to the terminal."""
    message = record.getMessage().strip('-\n')
    for_the_file = message.startswith(BEGIN_FOR_THE_FILE) or message.endswith(END_FOR_THE_FILE)
    return record.levelno >= logging.ERROR or not (for_the_file or message.count('\n') > LINES)


def quieten(logger):
    """Let a logger print only :func:`is_for_terminal` records; its files stay complete. Also silence false warnings."""
    for message in FALSE_WARNINGS:
        warnings.filterwarnings('ignore', message=message)
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler and is_for_terminal not in handler.filters:
            handler.addFilter(is_for_terminal)


def environment_line(runner):
    """One line on what a run runs on, and where the rest is written."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f'CPU ({torch.get_num_threads()} threads)'
    processes = f' x {runner.world_size} processes' if runner.world_size > 1 else ''
    return (
        f'twlv_mm {twlv_mm.__version__}, torch {torch.__version__}, Python {platform.python_version()}, {device}'
        f'{processes}, seed {runner.seed}. Config and full log: {osp.relpath(runner.log_dir)}'
    )


class QuietLogProcessor(LogProcessor):
    """mmengine's, without the top-5 accuracy of five classes or fewer, which is always 100 %."""

    def _collect_scalars(self, custom_cfg, runner, *args, **kwargs):
        tags = super()._collect_scalars(custom_cfg, runner, *args, **kwargs)
        return tags if has_top5(runner.model) else {name: value for name, value in tags.items() if not is_top5(name)}


def is_top5(name):
    return name.endswith(('acc/top5', 'top5_acc'))


def has_top5(model):
    """Whether a model, perhaps wrapped, has more than five classes, or an unknown number."""
    model = getattr(model, 'module', model)
    classes = getattr(getattr(model, 'cls_head', model), 'num_classes', None)
    return classes is None or classes > TOP
