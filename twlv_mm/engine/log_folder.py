"""Where a run's log is, for metrics that write tables beside it."""

import logging
from pathlib import Path

from mmengine.logging import MMLogger


def log_folder():
    """Folder of the log of the run that is going on.

    A metric does not know its runner, but the runner's logger is the current one.

    Returns:
        Path: ``work_dirs/<config>/<time>``.

    Raises:
        ValueError: if there is no such log.
    """
    for handler in MMLogger.get_current_instance().handlers:
        if isinstance(handler, logging.FileHandler):
            return Path(handler.baseFilename).parent
    raise ValueError('there is no log file of a run to write tables beside: set out_dir of the metric')
