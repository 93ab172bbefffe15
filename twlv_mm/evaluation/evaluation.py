"""Evaluate an encoder on every task whose data are there; finished tasks are not repeated."""

import hashlib
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from twlv_mm.encoders import folder_of_embeddings
from twlv_mm.records import checks, locked, path_below, read_json, write_text
from twlv_mm.records.results import RESULTS
from twlv_mm.report.run_records import HASH

from .status_file import FAILED, FINISHED, NO_DATA, RUNNING, WAITING, StatusFile
from .steps import StepError, run_step

SEED = ('--seed', '0')  # of all trainings


class BusyError(RuntimeError):
    """Another command is evaluating the same encoder in the same folder."""


class Evaluation:
    """The evaluation of an encoder, in a folder of its own.

    The folder, ``<out>/<label>-<hash of the weights>``, has the embeddings; a folder for each task, named by a hash of
    its settings, so that results of other settings are never mixed in; ``logs``; and ``evaluation.json`` with the
    status of each task. A task is finished when its folder has a results.json of the same weights.

    Args:
        encoder (EvaluatedEncoder): From :func:`~twlv_mm.evaluation.encoder.find_encoder`.
        tasks (list[Task]): What to evaluate on.
        out (str | Path): The folder of all evaluations.
        jobs (int): Tasks at a time; with more than one, each has one thread.
        options (tuple[str]): Further arguments of each training and test, such as --amp.
        views (list[dict]): The embeddings that a report draws, see
            :func:`~twlv_mm.evaluation.tasks.generated_views`.

    Attributes:
        states (dict[str, tuple[str, str]]): Name of a task -> status and reason.
    """

    def __init__(self, encoder, tasks, out, jobs=1, options=(), views=()):
        self.encoder = encoder
        self.tasks = tasks
        self.jobs = jobs
        self.options = list(options)
        weights = encoder.sha256[:HASH] if encoder.sha256 else 'random'
        self.root = Path(out) / f'{encoder.label}-{weights}'
        self.embeddings = str(self.root / 'embeddings')
        self.states = {}
        self._configs = {}
        self._states_lock = threading.Lock()
        self._status_file = StatusFile(self.root, encoder.label, views, self._embeddings_of)

    def todo(self):
        """The tasks that have data and are not finished, in their order."""
        for task in self.tasks:
            self.states[task.name] = self._state_of(task)
        return [task for task in self.tasks if self.states[task.name][0] == WAITING]

    def run(self):
        """Run the tasks that are not finished; returns :attr:`states`.

        Raises:
            BusyError: if another command evaluates the same encoder.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self._alone():
            todo = self.todo()
            self._status_file.read_earlier(self.states)
            self._status_file.copy_lists()
            self._status_file.write(self.states)
            self._write_encoder()
            wanted = {}
            for extraction in dict.fromkeys(one for task in todo for one in task.extractions):
                wanted.setdefault(extraction.name, []).append(extraction)
            with ThreadPoolExecutor(self.jobs) as pool:
                # Extractions into the same folder run one after another.
                failures = dict(itertools.chain(*pool.map(self._extract_all, wanted.values())))
                list(pool.map(lambda task: self._evaluate(task, failures), todo))
        return self.states

    def _state_of(self, task):
        try:
            missing = task.missing(self._config(task), self.embeddings)
        except FileNotFoundError as error:
            return NO_DATA, str(error)
        if missing is not None:
            return NO_DATA, f'{missing} does not exist'
        return (FINISHED if self._is_finished(task) else WAITING), ''

    def _config(self, task):
        """The config of a task for this encoder; None if the task has none."""
        if task.config is not None and task.name not in self._configs:
            self._configs[task.name] = task.read(self.encoder, self.embeddings)
        return self._configs.get(task.name)

    def _settings(self, task):
        """The settings of a task as text, and the folder that it runs in."""
        text = repr(task.arguments) if task.how == 'direction' else self._config(task).pretty_text
        digest = hashlib.sha256(f'{text}\n{self.options}'.encode()).hexdigest()[:HASH]
        return text, self.root / f'{task.name}-{digest}'

    def _embeddings_of(self, name):
        return folder_of_embeddings(self.embeddings, name, self.encoder.spec)

    def _is_finished(self, task):
        _, folder = self._settings(task)
        for path in [folder / RESULTS, *folder.glob(f'*/{RESULTS}')]:
            try:
                weights = read_json(path, dict)['encoder']['weights_sha256']
            except (FileNotFoundError, ValueError, KeyError, TypeError):
                continue  # no file, or not one of ours
            if weights == self.encoder.sha256:
                return True
        return False

    def _extract_all(self, extractions):
        return [(extraction, self._extract(extraction)) for extraction in extractions]

    def _extract(self, extraction):
        """Extract the embeddings of a dataset; returns the reason of a failure, or ''."""
        config = str(self.root / 'encoder.py')
        weights = ['--weights', self.encoder.weights] if self.encoder.weights else []
        try:
            for split, source, root in extraction.splits:
                where = ['--out', self._embeddings_of(extraction.name), '--split', split]
                where += ['--root', root] if root is not None else []
                kind = 'uniform' if 'uniform' in extraction.options else 'clips'
                name = f'extract_{extraction.name}_{split}_{kind}'
                if not self._step(name, 'extract', config, source, *where, *extraction.options, *weights):
                    print(
                        f'  {self.encoder.label}: some videos could not be embedded, see {self._log(name)}', flush=True
                    )
        except StepError as error:
            return f'its embeddings could not be extracted: {error}'
        return ''

    def _evaluate(self, task, failures):
        reason = next((failures[one] for one in task.extractions if failures[one]), '')
        if reason:
            self._set_state(task, FAILED, reason)
            return
        self._set_state(task, RUNNING)
        began = time.monotonic()
        try:
            self._step(task.name, *self._command(task))
        except StepError as error:
            self._set_state(task, FAILED, str(error))
            return
        if self._is_finished(task):
            self._set_state(task, FINISHED, note=f' in {time.monotonic() - began:.0f} s')
        else:
            self._set_state(task, FAILED, f'it left no {RESULTS} of these weights')

    def _command(self, task):
        """The command of ``twlv`` that runs a task, and its arguments."""
        text, folder = self._settings(task)
        folder.mkdir(parents=True, exist_ok=True)
        if task.how == 'direction':
            split, *arguments = task.arguments
            embeddings = f'{self._embeddings_of(task.extractions[0].name)}/{split}'
            return 'visualize', 'direction', f'{self.encoder.label}={embeddings}', '--out', folder, *arguments
        config = folder / task.config.name
        write_text(config, text)
        where = [config, '--work-dir', folder, *self.options]
        return {
            'train': ('train', *where, *SEED, '--resume', '--no-validate', '--test'),
            'test': ('test', *where),
            'folds': ('folds', *where, *SEED),
        }[task.how]

    def _log(self, name):
        return path_below(self.root, f'logs/{name}.txt')

    def _step(self, name, *command):
        log = self._log(name)
        log.parent.mkdir(exist_ok=True)
        return run_step(log, *command, threads=1 if self.jobs > 1 else None)

    def _set_state(self, task, status, reason='', note=''):
        with self._states_lock:  # several tasks may run at a time
            self.states[task.name] = status, reason
            self._status_file.write(self.states)
        line = f'  {self.encoder.label}: {task.name} {status}{note}{": " + reason if reason else ""}'
        print(checks.printable(line), flush=True)

    def _write_encoder(self):
        backbone = dict(type='twlv_mm.Encoder', source=self.encoder.source, **self.encoder.overrides)
        text = f'# The encoder of the embeddings.\nmodel = dict(backbone={backbone!r})\n'
        write_text(self.root / 'encoder.py', text)

    @contextmanager
    def _alone(self):
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.root / '.lock', wait=False))
            except BlockingIOError:
                raise BusyError(
                    f'another command is evaluating this encoder in {self.root}: wait until it ends, or stop it'
                ) from None
            yield
