"""Tools and functions in processes of their own, without the seconds that a new interpreter takes for its imports."""

import json
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from multiprocessing import forkserver
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

FRESH = """
import json, os, sys
import twlv_mm
for line in sys.stdin:
    job = json.loads(line)
    if pid := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        continue
    for number, name in enumerate(job['files'], 1):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ['-c', *job['arguments']]
    exec(job['code'], {'__name__': '__main__'})
    break
"""
TOOLS = Path(__file__).parents[1] / 'tools'


def run_tool(name, *arguments):
    """Run a tool in this process.

    Args:
        name (str | Path): Its path in tools/, or that of another script.
        *arguments: Those of its command line.

    Returns:
        int | str: its exit code.
    """
    path = str(TOOLS / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [path, *map(str, arguments)])
        for module, hook in (sys, 'excepthook'), (sys, 'unraisablehook'), (warnings, 'formatwarning'):
            patch.setattr(module, hook, getattr(module, hook))
        try:
            runpy.run_path(path, run_name='__main__')
        except SystemExit as left:
            return left.code or 0
    return 0


class Fork:
    """A function in a process of its own, which starts with what this one has imported.

    Args:
        function (Callable): What to run; a number that it returns is the process's exit code.
        *arguments: Those of the function.
        **environment: Environment variables to set.
    """

    def __init__(self, function, *arguments, **environment):
        self._files = [tempfile.TemporaryFile('w+') for _ in range(2)]  # noqa: SIM115  closed by finish
        context = multiprocessing.get_context('fork')
        self._process = context.Process(target=self._run, args=(function, arguments, environment))
        self._process.start()
        self.pid = self._process.pid

    def runs(self):
        """Whether it has not ended."""
        return self._process.is_alive()

    def finish(self, timeout=300):
        """Wait for the end.

        Returns:
            SimpleNamespace: returncode (-9 after SIGKILL), stdout and stderr, as subprocess.run gives them.
        """
        self._process.join(timeout)
        if self.runs():
            self._process.kill()
            self._process.join()
        texts = []
        for file in self._files:
            with file:
                file.seek(0)
                texts.append(file.read())
        return SimpleNamespace(returncode=self._process.exitcode, stdout=texts[0], stderr=texts[1])

    def _run(self, function, arguments, environment):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell may have ignored
        os.setpgrp()  # a signal to the group reaches its workers, and not the tests
        for number, file in enumerate(self._files, 1):
            os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (os.fdopen(number, 'w', buffering=1, closefd=False) for number in (1, 2))
        forkserver._forkserver.__init__()  # this process's is not the child of that one
        torch.set_num_threads(1)  # the threads of OpenMP do not outlive a fork
        os.environ.update(environment)
        code = function(*arguments)
        sys.exit(code if isinstance(code, int) else 0)


def start_tool(name, *arguments, **environment):
    """Start a tool in a process of its own.

    Returns:
        Fork: the process.
    """
    return Fork(run_tool, name, *arguments, **environment)


def run_together(size, function, *arguments):
    """Run a function in several processes that find each other as torchrun's do.

    Args:
        size (int): How many.
        function (Callable): Such as ``launch.main_train``.
        *arguments: Those of the function.

    Returns:
        list[SimpleNamespace]: what :meth:`Fork.finish` returns of each.
    """
    with socket.socket() as unused:
        unused.bind(('localhost', 0))
        port = unused.getsockname()[1]
    group = dict(WORLD_SIZE=str(size), MASTER_ADDR='localhost', MASTER_PORT=str(port))
    ranks = [Fork(function, *arguments, RANK=str(rank), LOCAL_RANK=str(rank), **group) for rank in range(size)]
    return [rank.finish() for rank in ranks]


class Fresh:
    """An interpreter that has imported twlv_mm and nothing else since; code runs in forks of it."""

    def __init__(self):
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._process = subprocess.Popen([sys.executable, '-c', FRESH], cwd=TOOLS.parent, text=True, **pipes)

    def run(self, code, *arguments):
        """Run code.

        Args:
            code (str): Python.
            *arguments: For its ``sys.argv``.

        Returns:
            SimpleNamespace: returncode, stdout and stderr, as subprocess.run gives them.
        """
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, 'out'), Path(folder, 'err')
            job = dict(code=code, arguments=[*map(str, arguments)], files=[str(out), str(err)])
            print(json.dumps(job), file=self._process.stdin, flush=True)
            code = int(self._process.stdout.readline())
            return SimpleNamespace(returncode=code, stdout=out.read_text(), stderr=err.read_text())

    def close(self):
        """End the interpreter."""
        self._process.communicate()
