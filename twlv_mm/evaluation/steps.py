"""Running a command of ``twlv`` in a process of its own."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time

from twlv_mm.encoders.config_encoder import VARIABLES
from twlv_mm.records import append_line, open_log

TWLV = (sys.executable, '-m', 'twlv_tools')
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)  # loaded here: nothing may be loaded between fork and exec
SOME_FAILED = 1  # exit code of twlv extract, and of Python after an error


class StepError(RuntimeError):
    """A step failed; the message has the last line of its log."""


def run_step(log, command, *arguments, threads=None):
    """Run a command of ``twlv`` and write its output to a log, after the command line itself.

    A process of its own, so that a crash affects one task only, its memory is freed, and each task has one log. It is
    killed if this process dies.

    Args:
        log (Path): The file.
        command (str): 'train', for example.
        *arguments: Arguments of the command, converted with str().
        threads (int, optional): OMP_NUM_THREADS of the process.

    Returns:
        bool: False if ``extract`` could not embed some of the videos.

    Raises:
        StepError: if the command fails.
    """
    line = [*TWLV, command, *map(str, arguments)]
    # The config of a step has the encoder already.
    environment = {key: value for key, value in os.environ.items() if key not in VARIABLES.values()}
    if threads is not None:
        environment['OMP_NUM_THREADS'] = str(threads)
    with open_log(log) as file:
        print(f'$ {shlex.join(line)}', file=file, flush=True)
        began = time.monotonic()
        process = subprocess.Popen(
            line, stdout=file, stderr=subprocess.STDOUT, env=environment, preexec_fn=_end_with_parent
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    lines = [text for text in log.read_text(errors='replace').splitlines() if text.strip()]
    some_failed = command == 'extract' and process.returncode == SOME_FAILED and 'Traceback' not in '\n'.join(lines)
    if process.returncode and not some_failed:
        raise StepError(f'{lines[-1][:300]} (exit code {process.returncode}; see {log})')
    append_line(log, f'# {time.monotonic() - began:.0f} s, {usage.ru_utime + usage.ru_stime:.0f} s of a CPU core')
    return not some_failed


def _end_with_parent():
    """Have the system kill this process when its parent ends, however that happens (Linux)."""
    if sys.platform == 'linux':
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
