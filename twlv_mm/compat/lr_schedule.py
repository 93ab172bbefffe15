"""Resuming with a larger ``max_epochs`` silently freezes the learning rate.

A checkpoint holds the schedule as configured then, and mmengine restores all of it: a run of 30 epochs resumed for 60
spends the last 30 at the final learning rate of the first 30. Here that is logged as a warning.
"""

import functools
import logging

from mmengine.logging import print_log
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler

# The attributes of mmengine's schedulers that hold durations.
DURATIONS = ('begin', 'end', 'T_max', 'total_iters', 'total_steps', 'step_size', 'milestones', 'periods')


def apply():
    """Warn when a resumed parameter scheduler keeps a duration other than the config's."""
    upstream = _ParamScheduler.load_state_dict
    if getattr(upstream, 'warns', False):
        return

    @functools.wraps(upstream)
    def load_state_dict(self, state_dict):
        _warn(self, state_dict)
        upstream(self, state_dict)

    load_state_dict.warns = True
    _ParamScheduler.load_state_dict = load_state_dict


def _warn(scheduler, state_dict):
    configured = {key: vars(scheduler)[key] for key in DURATIONS if key in vars(scheduler) and key in state_dict}
    differing = [key for key, value in configured.items() if value != state_dict[key]]
    if differing:
        unit = 'epochs' if scheduler.by_epoch else 'iterations'
        values = ', '.join(f'{key}={_show(state_dict[key])} (config: {_show(configured[key])})' for key in differing)
        print_log(
            f'{type(scheduler).__name__} resumes with the schedule of the checkpoint, not with that of the config, '
            f'in {unit}: {values}. {scheduler.param_name} follows the checkpoint and stays constant once that '
            "schedule has ended. For the config's schedule, start with load_from=<checkpoint> instead of resume.",
            logger='current',
            level=logging.WARNING,
        )


def _show(value):
    # MultiStep keeps its milestones in a Counter.
    return value if isinstance(value, int | float) else sorted(value)
