"""How tools end: one line and exit code 2 on an error of the system or of the inputs, 130 after Ctrl-C."""

import gc
import os
import select
import signal
import sys
import threading
import traceback
import warnings
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from mmengine.logging import print_log

from twlv_mm.records.checks import printable

# Texts of torch's RuntimeErrors for errors of the operating system.
SYSTEM_TEXTS = ('No space left on device', 'Too many open files', 'shared memory', 'DataLoader worker')
PACKAGE = Path(__file__).parent
INTERRUPTED = 130  # the shells' exit code of a process ended by SIGINT
UNREAD = 141  # and by SIGPIPE
REPEATED = 0.5  # seconds after which a lost Ctrl-C is raised again


def run_tool(main):
    """Run a tool's main function.

    Exits with code 2 after a line on stderr that names the file, for a full disk, a quota, a read-only folder, a file
    in place of a folder, too many open files, no shared memory, or :func:`inputs_at_fault`; with code 130 after a line,
    for Ctrl-C; with code 141 if a program that reads the output, such as ``head``, has ended. Code 1 is left to tools
    that count failed videos or tasks.

    Args:
        main (Callable): Takes no arguments. Its KeyboardInterrupt or error may have an ``advice`` on what to do next.
    """
    sys.unraisablehook = _print_unraisable
    sys.excepthook = partial(_print_traceback, os.getpid())
    warnings.formatwarning = partial(_format_warning, warnings.formatwarning)
    gc.freeze()  # keeps the collector from scanning the imported modules again and again
    with _persistent_interrupts():
        try:
            main()
        except (KeyboardInterrupt, Exception) as error:
            interrupted = any(signal.setitimer(signal.ITIMER_REAL, 0)) or _is_interrupt(error)
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # or torch would raise that a worker has died
            if interrupted:
                sys.unraisablehook = _ignore  # errors of half-built objects
                print(printable(_with_advice('interrupted', error)), file=sys.stderr)
                sys.exit(INTERRUPTED)
            if isinstance(error, BrokenPipeError) and _drop_unread_output():
                sys.exit(UNREAD)
            text = _describe(error)
            if text is None:
                raise
            fail(_with_advice(text, error))
        finally:
            _drop_unread_output()


def fail(text):
    """Exit with code 2 after printing an error, a text or exception, on stderr."""
    print(printable(f'error: {text}'), file=sys.stderr)
    sys.exit(2)


@contextmanager
def dead_workers_ignored():
    """Keep a data loader from raising, while an error is reported, that a worker has died, which may have caused it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, handler)


@contextmanager
def _persistent_interrupts():
    """Repeat the KeyboardInterrupt of Ctrl-C until it arrives, and keep Ctrl-C from forked processes.

    Python drops it inside an object's finalizer, such as that of a data loader after an epoch, and other code may
    catch it. A terminal sends Ctrl-C to data-loading workers too, which would fail or print a traceback.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    for number in (signal.SIGINT, signal.SIGALRM):
        signal.signal(number, _interrupt)
    _ignore_interrupts_in_forks()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number, _):
    signal.setitimer(signal.ITIMER_REAL, REPEATED, REPEATED)
    if number == signal.SIGINT or not _is_interrupt(sys.exc_info()[1]):  # the exception that is being handled
        raise KeyboardInterrupt


@cache
def _ignore_interrupts_in_forks():
    def ignore():
        if signal.getsignal(signal.SIGINT) is _interrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    os.register_at_fork(after_in_child=ignore)


def _drop_unread_output():
    """Whether the reader of stdout has ended; if so, keep Python from failing on what is left at exit."""
    poll = select.poll()
    poll.register(1, 0)
    unread = any(event & select.POLLERR for _, event in poll.poll(0))
    if unread:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return unread


@contextmanager
def inputs_at_fault(has_begun=bool):
    """Let :func:`run_tool` report a ValueError as one line: the config and its files do not fit together.

    The traceback goes to the log file.

    Args:
        has_begun (Callable): Whether the work on the data has begun; a ValueError is then a fault of the code.
    """
    try:
        yield
    except ValueError as error:
        error.is_of_inputs = not has_begun()
        if error.is_of_inputs:
            print_log(traceback.format_exc(), 'current')
        raise


def _ignore(unraisable):
    pass


def _print_unraisable(unraisable):
    if unraisable.exc_type is not KeyboardInterrupt:  # which is repeated
        sys.__unraisablehook__(unraisable)


def _format_warning(default, message, category, filename, *place):
    """A warning of this package or the tool as one line; those of other packages keep their place in the code."""
    ours = Path(filename).is_relative_to(PACKAGE) or filename == getattr(sys.modules['__main__'], '__file__', None)
    if category is UserWarning and ours:
        return printable(f'warning: {message}') + '\n'
    return default(message, category, filename, *place)


def _print_traceback(tool, kind, error, place):
    """Print a traceback as Python does, without terminal escape sequences from file names and contents."""
    if os.getpid() != tool and isinstance(error, (ConnectionError, EOFError)):
        return  # a data loader's worker, whose tool has been interrupted
    print(printable(''.join(traceback.format_exception(kind, error, place))), end='', file=sys.stderr)


def _is_interrupt(error):
    """Whether an error was caused by Ctrl-C: mmengine turns it into a SyntaxError while it formats a config."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _with_advice(text, error):
    advice = getattr(error, 'advice', None)
    return f'{text.rstrip(".")}. {advice}' if advice else text


def _describe(error):
    """The message of the system or on the inputs in an error or its causes, or None."""
    cause = error
    while cause is not None:
        # multiprocessing raises a bare EOFError if the other end of a pipe or socket is gone.
        if isinstance(cause, ConnectionError) or (isinstance(cause, EOFError) and not cause.args):
            return f'a process of this run has died ({_last_line(cause)})'
        if getattr(cause, 'is_of_inputs', False):
            return str(cause)
        if isinstance(cause, OSError):
            if cause.strerror and cause.filename is not None:
                return f'{cause.filename}: {cause.strerror}'
            return _last_line(cause)
        if isinstance(cause, RuntimeError) and any(text in str(cause) for text in SYSTEM_TEXTS):
            return (cause.__cause__ and _describe(cause.__cause__)) or _last_line(cause)
        cause = cause.__cause__
    return None


def _last_line(error):
    # The text of a worker process's error includes its traceback.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
