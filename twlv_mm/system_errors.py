"""How tools end: one line and exit code 2 where the operating system refuses something, 130 after Ctrl-C."""

import _thread
import gc
import os
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from functools import partial

from twlv_mm.records.checks import printable

# What torch says, as RuntimeError, where the operating system has refused something.
SYSTEM_TEXTS = ('No space left on device', 'Too many open files', 'shared memory', 'DataLoader worker')
INTERRUPTED = 130  # what shells give a process that SIGINT ended


def run_tool(main):
    """Run a tool's main function. Code 1 is left to what a tool counts, such as videos or tasks that failed.

    Args:
        main (Callable): Takes no arguments. A KeyboardInterrupt or error of it may say in ``advice`` what to do next.

    Raises:
        SystemExit: code 2, after a line on stderr that names the file, for a full disk, a quota, a read-only folder, a
            file where a folder should be, too many open files or no shared memory; code 130, after a line, for Ctrl-C.
    """
    sys.unraisablehook = _keep_interrupt
    sys.excepthook = partial(_print_traceback, os.getpid())
    gc.freeze()  # what imports have made is not looked at again each time that many objects are new
    try:
        main()
    except (KeyboardInterrupt, Exception) as error:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # until the end: torch would raise that a worker has died
        if _is_interrupt(error):
            sys.unraisablehook = _ignore  # of objects that were half built
            print(printable(_with_advice('interrupted', error)), file=sys.stderr)
            sys.exit(INTERRUPTED)
        text = _describe(error)
        if text is None:
            raise
        fail(_with_advice(text, error))


def fail(text):
    """End a tool that cannot do what was asked.

    Args:
        text (str | Exception): Why.

    Raises:
        SystemExit: code 2, after the text on stderr.
    """
    print(printable(f'error: {text}'), file=sys.stderr)
    sys.exit(2)


@contextmanager
def dead_workers_ignored():
    """Keep a data loader from raising, while an error is reported, what may be its cause: that a worker has died."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, handler)


def _ignore(unraisable):
    pass


def _keep_interrupt(unraisable):
    """Raise Ctrl-C again where Python drops it: while an object ends, such as a data loader after an epoch."""
    if unraisable.exc_type is KeyboardInterrupt:
        threading.Timer(0.1, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(unraisable)


def _print_traceback(tool, kind, error, place):
    """As Python does, but names of files and what stands in them reach the terminal without its escape sequences."""
    if os.getpid() != tool and isinstance(error, (ConnectionError, EOFError)):
        return  # of a data loader's worker: the tool at the other end has been interrupted
    print(printable(''.join(traceback.format_exception(kind, error, place))), end='', file=sys.stderr)


def _is_interrupt(error):
    """Whether Ctrl-C is what an error comes of: mmengine makes a SyntaxError of it while it formats a config."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _with_advice(text, error):
    advice = getattr(error, 'advice', None)
    return f'{text.rstrip(".")}. {advice}' if advice else text


def _describe(error):
    """What the operating system said, in the error or what caused it; None if it said nothing."""
    cause = error
    while cause is not None:
        # multiprocessing raises a bare EOFError where the other end of a pipe or socket is gone.
        if isinstance(cause, ConnectionError) or (isinstance(cause, EOFError) and not cause.args):
            return f'a process of this run has died ({_last_line(cause)})'
        if isinstance(cause, OSError):
            if cause.strerror and cause.filename is not None:
                return f'{cause.filename}: {cause.strerror}'
            return _last_line(cause)
        if isinstance(cause, RuntimeError) and any(text in str(cause) for text in SYSTEM_TEXTS):
            return (cause.__cause__ and _describe(cause.__cause__)) or _last_line(cause)
        cause = cause.__cause__
    return None


def _last_line(error):
    # An error of a worker process carries its traceback as text.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
