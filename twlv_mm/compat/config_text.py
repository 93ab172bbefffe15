"""mmengine formats the whole config with yapf for the log, the dumped file, the visualizer and every checkpoint.

A config of this package takes yapf about a second, most of the time of a short run. Here a text that was formatted
before is not formatted again.
"""

from functools import wraps

from mmengine.config import config


def apply():
    """Make mmengine format each config text once."""
    if not hasattr(config.FormatCode, '__wrapped__'):
        config.FormatCode = remember(config.FormatCode)


def remember(format_code):
    """Wrap yapf's ``FormatCode`` so that it keeps what it returned for the last text.

    Args:
        format_code (Callable): Takes a text and settings as keyword arguments.

    Returns:
        Callable: the same, for the same arguments.
    """
    last = {}

    @wraps(format_code)
    def formatted(text, **settings):
        key = text, repr(settings)
        if key not in last:
            made = format_code(text, **settings)
            last.clear()
            last[key] = made
        return last[key]

    return formatted
