"""Evaluate an encoder on every task that there are data for; what is finished is not done again."""

import ctypes
import hashlib
import itertools
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from twlv_mm.encoders import folder_of_embeddings
from twlv_mm.encoders.config_encoder import VARIABLES
from twlv_mm.engine.results_hook import RESULTS
from twlv_mm.records import (
    append_line,
    checks,
    locked,
    open_log,
    path_below,
    read_bytes,
    read_json,
    write_bytes,
    write_json,
    write_text,
)
from twlv_mm.report.run_records import HASH, STATUS, VIEW_FILES

TOOLS = Path(__file__).parents[1] / '.mim/tools'
FINISHED, NO_DATA, FAILED, WAITING, RUNNING = 'finished', 'no data', 'failed', 'waiting', 'running'
SEED = ('--seed', '0')  # of all trainings
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)  # loaded here: what runs between fork and exec must not load anything
SOME_FAILED = 1  # exit code of tools/extract.py, and of Python after an error


class BusyError(RuntimeError):
    """Another command is evaluating the same encoder in the same folder."""


class StepError(RuntimeError):
    """A step failed; the message is the end of its log."""


class Evaluation:
    """The evaluation of an encoder, in a folder of its own.

    The folder, ``<out>/<label>-<hash of the weights>``, has the embeddings; a folder a task, named by a hash of its
    settings, so that other settings never meet what was made with these; ``logs``; and ``evaluation.json``, which says
    how far each task is. A task is finished where there is a results.json of the same weights in its folder.

    Args:
        encoder (Encoder): From :func:`~twlv_mm.evaluation.encoder.find_encoder`.
        tasks (list[Task]): What to evaluate on.
        out (str | Path): The folder of all evaluations.
        jobs (int): Tasks at a time; with more than one, each has one thread.
        options (tuple[str]): Further arguments for each training and test, --amp say.
        views (list[dict]): What of the embeddings a report shows, as
            :func:`~twlv_mm.evaluation.tasks.generated_views` says.
    """

    def __init__(self, encoder, tasks, out, jobs=1, options=(), views=()):
        self.encoder = encoder
        self.tasks = tasks
        self.jobs = jobs
        self.options = list(options)
        self.views = list(views)
        weights = encoder.sha256[:HASH] if encoder.sha256 else 'random'
        self.root = Path(out) / f'{encoder.label}-{weights}'
        self.embeddings = str(self.root / 'embeddings')
        self.states = {}
        self._configs = {}
        self._states_lock = threading.Lock()
        self._before = dict(tasks=[], views=[])

    def todo(self):
        """The tasks that are not finished and have data.

        Returns:
            list[Task]: in their order.
        """
        self._look()
        return [task for task in self.tasks if self.states[task.name][0] == WAITING]

    def run(self):
        """Run what is not finished.

        Returns:
            dict[str, tuple[str, str]]: of each task its status and the reason.

        Raises:
            BusyError: if another command is at it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self._alone():
            todo = self.todo()
            self._read_before()
            self._copy_lists()
            self._write_states()
            self._write_encoder()
            wanted = {}
            for extraction in dict.fromkeys(one for task in todo for one in task.extractions):
                wanted.setdefault(extraction.name, []).append(extraction)
            with ThreadPoolExecutor(self.jobs) as pool:
                # One after another where they go to the same folder.
                failures = dict(itertools.chain(*pool.map(self._extract_all, wanted.values())))
                list(pool.map(lambda task: self._evaluate(task, failures), todo))
        return self.states

    def _look(self):
        for task in self.tasks:
            try:
                missing = task.missing(self._config(task), self.embeddings)
            except FileNotFoundError as error:
                self.states[task.name] = NO_DATA, str(error)
                continue
            if missing is not None:
                self.states[task.name] = NO_DATA, f'there is no {missing}'
            elif self._is_finished(task):
                self.states[task.name] = FINISHED, ''
            else:
                self.states[task.name] = WAITING, ''

    def _prepare(self, task):
        """What the task is for this encoder, as text, and the folder that it is run in."""
        if task.how == 'direction':
            text = repr(task.arguments)
            return text, self._folder(task, text)
        text = self._config(task).pretty_text
        return text, self._folder(task, text)

    def _config(self, task):
        """Its config for this encoder, None where it has none."""
        if task.config is not None and task.name not in self._configs:
            self._configs[task.name] = task.read(self.encoder, self.embeddings)
        return self._configs.get(task.name)

    def _embeddings_of(self, name):
        return folder_of_embeddings(self.embeddings, name, self.encoder.spec)

    def _folder(self, task, text):
        digest = hashlib.sha256(f'{text}\n{self.options}'.encode()).hexdigest()[:HASH]
        return self.root / f'{task.name}-{digest}'

    def _is_finished(self, task):
        _, folder = self._prepare(task)
        for path in [folder / RESULTS, *folder.glob(f'*/{RESULTS}')]:
            try:
                weights = read_json(path, dict)['encoder']['weights_sha256']
            except (FileNotFoundError, ValueError, KeyError, TypeError):
                continue  # not there, or none of ours
            if weights == self.encoder.sha256:
                return True
        return False

    def _extract_all(self, extractions):
        return [(extraction, self._extract(extraction)) for extraction in extractions]

    def _extract(self, extraction):
        """Extract the embeddings of a data set; returns why that failed, or ''."""
        config = str(self.root / 'encoder.py')
        weights = ['--weights', self.encoder.weights] if self.encoder.weights else []
        try:
            for split, source, root in extraction.splits:
                where = ['--out', self._embeddings_of(extraction.name), '--split', split]
                where += ['--root', root] if root is not None else []
                kind = 'uniform' if 'uniform' in extraction.options else 'clips'
                name = f'extract_{extraction.name}_{split}_{kind}'
                self._step(name, 'extract.py', config, source, *where, *extraction.options, *weights)
        except StepError as error:
            return f'its embeddings could not be extracted: {error}'
        return ''

    def _evaluate(self, task, failures):
        reason = next((failures[one] for one in task.extractions if failures[one]), '')
        if reason:
            self._say(task, FAILED, reason)
            return
        self._say(task, RUNNING)
        began = time.monotonic()
        try:
            self._step(task.name, *self._command(task))
        except StepError as error:
            self._say(task, FAILED, str(error))
            return
        if self._is_finished(task):
            self._say(task, FINISHED, note=f' in {time.monotonic() - began:.0f} s')
        else:
            self._say(task, FAILED, f'it left no {RESULTS} of these weights')

    def _command(self, task):
        """The tool that does a task, and its arguments."""
        text, folder = self._prepare(task)
        folder.mkdir(parents=True, exist_ok=True)
        if task.how == 'direction':
            split, *arguments = task.arguments
            embeddings = f'{self._embeddings_of(task.extractions[0].name)}/{split}'
            return 'visualize.py', 'direction', f'{self.encoder.label}={embeddings}', '--out', folder, *arguments
        config = folder / task.config.name
        write_text(config, text)
        where = [config, '--work-dir', folder, *self.options]
        return {
            'train': ('train.py', *where, *SEED, '--resume', '--no-validate', '--test'),
            'test': ('test.py', *where),
            'folds': ('run_folds.py', *where, *SEED),
        }[task.how]

    def _step(self, name, tool, *arguments):
        """Run a tool; its output goes to a log of its own. It ends when this process does."""
        command = [sys.executable, str(TOOLS / tool), *map(str, arguments)]
        log = path_below(self.root, f'logs/{name}.txt')
        log.parent.mkdir(exist_ok=True)
        # The config that it is given has its encoder.
        environment = {key: value for key, value in os.environ.items() if key not in VARIABLES.values()}
        if self.jobs > 1:
            environment['OMP_NUM_THREADS'] = '1'
        with open_log(log) as file:
            print(f'$ {shlex.join(command)}', file=file, flush=True)
            began = time.monotonic()
            process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment, preexec_fn=_end_with_parent
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        lines = [line for line in log.read_text(errors='replace').splitlines() if line.strip()]
        if tool == 'extract.py' and process.returncode == SOME_FAILED and 'Traceback' not in '\n'.join(lines):
            print(f'  {self.encoder.label}: some videos could not be embedded, see {log}', flush=True)
        elif process.returncode:
            raise StepError(f'{lines[-1][:300]} (exit code {process.returncode}; see {log})')
        seconds = time.monotonic() - began
        append_line(log, f'# {seconds:.0f} s, {usage.ru_utime + usage.ru_stime:.0f} s of a CPU core')

    def _say(self, task, status, reason='', note=''):
        with self._states_lock:  # tasks at work beside each other
            self.states[task.name] = status, reason
            self._write_states()
        said = f'  {self.encoder.label}: {task.name} {status}{note}{": " + reason if reason else ""}'
        print(checks.printable(said), flush=True)

    def _read_before(self):
        """What earlier commands have said of other tasks, which stays; what ran then runs no more."""
        try:
            before = read_json(self.root / STATUS, dict)
            self._before = dict(
                tasks=[
                    task | (dict(status=WAITING) if task['status'] == RUNNING else {})
                    for task in before['tasks']
                    if task['task'] not in self.states
                ],
                views=[view for view in before['views'] if view['title'] not in {one['title'] for one in self.views}],
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            pass  # there is none, or none of ours

    def _write_states(self):
        tasks = [dict(task=name, status=status, reason=reason) for name, (status, reason) in self.states.items()]
        views = [
            view | dict(folder=self._viewed(view['folder'])) | {name: _copy_of(view, name) for name in VIEW_FILES}
            for view in self.views
        ]
        tasks, views = self._before['tasks'] + tasks, self._before['views'] + views
        write_json(str(self.root / STATUS), dict(encoder=self.encoder.label, tasks=tasks, views=views))

    def _copy_lists(self):
        """The lists that views need, into the folder: a report reads nothing outside of it."""
        for view, name in itertools.product(self.views, VIEW_FILES):
            if view[name] and Path(view[name]).is_file():
                copy = path_below(self.root, _copy_of(view, name))
                copy.parent.mkdir(parents=True, exist_ok=True)
                write_bytes(copy, read_bytes(view[name]))

    def _viewed(self, folder):
        name, _, rest = folder.partition('/')
        return f'{Path(self._embeddings_of(name)).relative_to(self.root)}/{rest}'

    def _write_encoder(self):
        backbone = dict(type='twlv_mm.Encoder', source=self.encoder.source, **self.encoder.overrides)
        text = f'# What embeddings are extracted with.\nmodel = dict(backbone={backbone!r})\n'
        write_text(self.root / 'encoder.py', text)

    @contextmanager
    def _alone(self):
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.root / '.lock', wait=False))
            except BlockingIOError:
                raise BusyError(f'another command is at work in {self.root}: wait for it, or end it') from None
            yield


def _copy_of(view, name):
    """Where a list of a view is copied to, below the evaluation's folder; None if the view has none."""
    return f'views/{view["folder"]}/{Path(view[name]).name}' if view[name] else None


def _end_with_parent():
    """Have the system end this process when its parent ends, however that happens (Linux)."""
    if sys.platform == 'linux':
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
