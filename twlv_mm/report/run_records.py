"""Finding and checking the results.json files of a folder. Their content is not trusted."""

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from twlv_mm.records import PathError, checks, parsing, path_below, read_json
from twlv_mm.records.results import RESULTS, SCHEMA_VERSION

STATUS = 'evaluation.json'
# Required fields of a record.
FIELDS = dict(task=str, dataset=str, protocol=dict, metrics=dict, encoder=dict, date=str)
# Optional fields of a record, which may be null.
OPTIONAL = dict(checkpoint=dict, config=dict, versions=dict, hardware=dict, decoder=dict)
VIEW_FILES = ('ann_file', 'class_names')  # files of a view, below the folder of its evaluation.json
MAX_BYTES = 100_000_000
HASH = 8  # shown digits of a hash


class Run(NamedTuple):
    """A test run.

    Attributes:
        path (Path): Its results.json.
        record (dict): Content of the file.
        date (datetime): When it was written.
    """

    path: Path
    record: dict
    date: datetime

    @property
    def encoder(self):
        """tuple[str, str | None]: name of the encoder, and hash of its weights."""
        encoder = self.record['encoder']
        name = encoder.get('label') or encoder.get('name') or 'unknown encoder'
        return str(name), encoder.get('weights_sha256')

    @property
    def metrics(self):
        """dict[str, float]: the metrics that are numbers."""
        return {
            name: float(value)
            for name, value in self.record['metrics'].items()
            if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e6
        }


class Found(NamedTuple):
    """The runs and evaluations of a folder.

    Attributes:
        runs (list[Run]): Oldest first.
        rejected (list[tuple[Path, str]]): Invalid files, and why.
        evaluations (list[tuple[Path, dict]]): Status files of ``twlv evaluate``: encoder, tasks (task, status, reason),
            views (embeddings to draw: title, folder, ann_file, class_names), left_out (why other views are not drawn).
    """

    runs: list
    rejected: list
    evaluations: list


def find_runs(folder):
    """Find the test runs below a folder.

    Args:
        folder (str | Path): Searched with its sub-folders; links to folders, and files that are links out of it, are
            ignored.

    Raises:
        FileNotFoundError: if the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'folder {folder} does not exist')
    runs, rejected, evaluations = [], [], []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name, read, into in ((RESULTS, _read_run, runs), (STATUS, _read_evaluation, evaluations)):
            if name in names:
                path = Path(place, name)
                try:
                    path_below(folder, path.relative_to(folder).as_posix())
                    with parsing(path):
                        into.append(read(path))
                except (ValueError, FileNotFoundError, PermissionError) as error:
                    rejected.append((path, checks.printable(str(error).removeprefix(f'{path}: '))[:300]))
    runs.sort(key=lambda run: (run.date, str(run.path)))
    return Found(runs, rejected, evaluations)


def name_encoders(runs):
    """:attr:`Run.encoder` -> a unique name, with the beginning of the weights' hash where encoders share a name."""
    encoders = list(dict.fromkeys(run.encoder for run in runs))
    names = [name for name, _ in encoders]
    return {
        (name, weights): name
        if names.count(name) == 1
        else f'{name} ({str(weights)[:HASH] if weights else "no weights given"})'
        for name, weights in encoders
    }


def _read_run(path):
    record = read_json(path, dict, max_bytes=MAX_BYTES)
    version = record.get('schema_version')
    if version != SCHEMA_VERSION:
        raise ValueError(f'it has the schema version {version!r}, not {SCHEMA_VERSION}: is it from twlv_mm?')
    for name, kind in FIELDS.items():
        checks.instance(record.get(name), kind, f'its {name}')
    for name, kind in OPTIONAL.items():
        if record.get(name) is not None:
            checks.instance(record[name], kind, f'its {name}')
    for name, kind in dict(weights_sha256=str, pretraining_sets=list).items():
        if record['encoder'].get(name) is not None:
            checks.instance(record['encoder'][name], kind, f"its encoder's {name}")
    date = datetime.fromisoformat(record['date'])
    return Run(path, record, date if date.tzinfo else date.replace(tzinfo=timezone.utc))


def _read_evaluation(path):
    content = read_json(path, dict, max_bytes=MAX_BYTES)
    tasks = [{name: str(task[name]) for name in ('task', 'status', 'reason')} for task in content['tasks']]
    views, left_out = [], []
    for view in content.get('views', []):
        title = str(view['title'])
        try:
            files = {name: view[name] and str(path_below(path.parent, view[name])) for name in VIEW_FILES}
            views.append(dict(title=title, folder=str(path_below(path.parent, view['folder'])), **files))
        except PathError as error:
            left_out.append(f'the embeddings of {title} are not drawn: {error}')
    return path, dict(encoder=str(content['encoder']), tasks=tasks, views=views, left_out=left_out)
