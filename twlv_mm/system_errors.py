"""How tools end where the operating system refuses something: one line and exit code 2, not a traceback."""

import sys

# What torch says, as RuntimeError, where the operating system has refused something.
SYSTEM_TEXTS = ('No space left on device', 'Too many open files', 'shared memory', 'DataLoader worker')


def run_tool(main):
    """Run a tool's main function. Code 1 is left to what a tool counts, such as videos that failed.

    Args:
        main (Callable): Takes no arguments.

    Raises:
        SystemExit: code 2, after a line on stderr that names the file, for a full disk, a quota, a read-only folder, a
            file where a folder should be, too many open files or no shared memory.
    """
    try:
        main()
    except Exception as error:
        text = _describe(error)
        if text is None:
            raise
        print(f'error: {text}', file=sys.stderr)
        sys.exit(2)


def _describe(error):
    """What the operating system said, in the error or what caused it; None if it said nothing."""
    cause = error
    while cause is not None:
        if isinstance(cause, OSError):
            if cause.strerror and cause.filename is not None:
                return f'{cause.filename}: {cause.strerror}'
            return _last_line(cause)
        if isinstance(cause, RuntimeError) and any(text in str(cause) for text in SYSTEM_TEXTS):
            return _last_line(cause)
        cause = cause.__cause__
    return None


def _last_line(error):
    # An error of a worker process carries its traceback as text.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
