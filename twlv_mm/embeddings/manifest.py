"""Settings and failures of an embedding folder: manifest.json and failures.jsonl."""

import json
import os
import warnings
from pathlib import Path

from twlv_mm.records import checks, parse_json, read_json, read_text
from twlv_mm.records.files import append_line, locked, open_regular, write_text

MANIFEST, FAILURES, LOCK = 'manifest.json', 'failures.jsonl', '.lock'
# Settings of a run that the json of a video does not have.
OF_A_RUN = ('decoder', 'on_fault')


class MixError(ValueError):
    """A folder holds embeddings made with other settings; the message names them."""


def enter_run(folder, settings, video_ids, mix=False):
    """Add a run to a folder's manifest; safe for several processes.

    A missing or damaged manifest is rebuilt from the videos' json files.

    Args:
        folder (str): The folder; created if missing.
        settings (dict): What a vector depends on; plain values.
        video_ids (Iterable[str]): The videos of the run.
        mix (bool): Whether to allow settings that differ from the folder's.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / MANIFEST
    with locked(Path(folder) / LOCK):
        try:
            manifest = read_manifest(folder)
        except (FileNotFoundError, ValueError) as error:
            manifest = _rebuilt(folder, settings, error)
        there, listed = manifest['settings'], set(manifest['videos'])
        for kind in there:
            differing = differing_settings(kind, settings)
            if differing and not mix:
                named = '; '.join(f'{key} is {kind.get(key)!r} there, {settings.get(key)!r} here' for key in differing)
                raise MixError(
                    f'{folder} was made with other settings: {named}. Choose another folder: --out, or in a config '
                    'the variable embeddings or extraction.out. (--mix of extract adds to what is there.)'
                )
        new = {*video_ids} - listed
        if new or settings not in there or not path.exists():
            manifest['settings'] = [*there, *([] if settings in there else [settings])]
            manifest['videos'] = sorted(listed | new)
            # The long list on one line: json's C encoder does not indent, and is ten times faster.
            lines = [f'"{name}": {json.dumps(manifest[name], sort_keys=True)}' for name in sorted(manifest)]
            write_text(path, '{' + ',\n '.join(lines) + '}\n')


def read_manifest(folder):
    """A folder's manifest: dict of settings (list[dict]) and videos (list[str])."""
    path = Path(folder) / MANIFEST
    try:
        manifest = read_json(path, dict)
        sound = all(isinstance(kind, dict) for kind in manifest.setdefault('settings', [])) and all(
            isinstance(video_id, str) for video_id in manifest['videos']
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{path} is damaged ({error})') from error
    if not sound:
        raise ValueError(f'{path} is damaged: its settings or videos have the wrong type')
    return manifest


def requested_videos(folder):
    """Ids (set) of the videos that runs were asked to embed into a folder, by its manifest and failures.jsonl."""
    failed = {failure['video_id'] for failure in read_failures(folder)}
    try:
        return failed.union(read_manifest(folder)['videos'])
    except (FileNotFoundError, ValueError):
        return failed


def differing_settings(there, settings):
    """Names of the settings that differ from those in ``there``; run settings that it lacks are ignored."""
    names = {**settings, **there}
    return [key for key in names if there.get(key) != settings.get(key) and (key in there or key not in OF_A_RUN)]


def _rebuilt(folder, settings, error):
    from .folder import EmbeddingFolder

    names = [name for name in settings if name not in OF_A_RUN]
    kinds, video_ids = [], []
    for path in (Path(folder), Path(folder) / '.unfinished'):
        try:
            embeddings = EmbeddingFolder(path)
        except FileNotFoundError:
            continue
        video_ids += embeddings.video_ids
        for video_id in embeddings.video_ids:
            try:
                info = embeddings.info(video_id)
            except ValueError:  # a damaged json: its video is embedded again
                continue
            kind = {name: info[name] for name in names if name in info}
            if kind not in kinds:
                kinds.append(kind)
    if video_ids:
        warnings.warn(f'{error}: rebuilt from the {len(video_ids)} videos that have embeddings', stacklevel=4)
    return dict(schema_version=1, settings=kinds, videos=video_ids)


def read_failures(folder):
    """The latest failure of each video in a folder.

    Returns:
        list[dict]: video_id, path, stage ('open', 'decode', 'timeout', 'crash'), reason; clips, the number of clips
        before the fault, if they were kept.
    """
    path = Path(folder) / FAILURES
    return list(_latest(_text(path), path).values())


class FailureLog:
    """A folder's failures.jsonl during a run.

    Args:
        folder (str): An embedding folder.
    """

    def __init__(self, folder):
        self._folder, self._path = Path(folder), Path(folder) / FAILURES
        self.at_start = {failure['video_id'] for failure in read_failures(folder)}
        self._seen = self._status()
        self._since = {}

    def add(self, failure):
        """Add a failure in the form of :func:`read_failures`."""
        with locked(self._folder / LOCK):
            append_line(self._path, json.dumps(failure, sort_keys=True))

    def since_start(self, video_id):
        """The failure of a video that another process added since this one started, or None."""
        status = self._status()
        if status != self._seen:
            (inode, start), self._seen = self._seen, status
            if inode in (status[0], None):  # it has grown; if it was replaced, videos are tried again
                with open_regular(self._path) as file:
                    file.seek(start)
                    self._since |= _latest(file.read(status[1] - start).decode(), self._path)
        return self._since.get(video_id)

    def forget(self, video_ids):
        """Remove embedded videos, and all but the latest failure of the others."""
        with locked(self._folder / LOCK):
            before = _text(self._path)
            kept = [failure for failure in _latest(before, self._path).values() if failure['video_id'] not in video_ids]
            after = ''.join(json.dumps(failure, sort_keys=True) + '\n' for failure in kept)
            if after != before:
                write_text(self._path, after)

    def _status(self):
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return None, 0
        return status.st_ino, status.st_size


def _text(path):
    return read_text(path) if path.exists() else ''


def _latest(text, path):
    failures = {}
    for number, line in enumerate(text.split('\n')[:-1], 1):  # the last line may be half written
        where = f'{path}, line {number}'
        failure = checks.instance(parse_json(line, where), dict, where)
        for name in ('video_id', 'path', 'stage', 'reason'):
            checks.instance(failure.get(name), str, f'{where}, its {name}')
        failures.pop(failure['video_id'], None)
        failures[failure['video_id']] = failure
    return failures


def failure_text(failure):
    """One line on a failure (dict of path, stage and reason), with the path once."""
    path, reason = str(failure['path']), failure['reason']
    return f'{reason if path in reason else f"{path}: {reason}"} ({failure["stage"]})'
