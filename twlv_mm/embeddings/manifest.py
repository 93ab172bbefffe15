"""What an embedding folder was made with, and which videos could not be read: manifest.json and failures.jsonl."""

import fcntl
import json
import os
from contextlib import contextmanager
from pathlib import Path

from .store import write_whole

MANIFEST, FAILURES = 'manifest.json', 'failures.jsonl'


class MixError(ValueError):
    """A folder holds embeddings that were made with other settings; the message names them."""


def claim(folder, settings, video_ids, mix=False):
    """Enter a run into a folder's manifest, several processes at a time if need be.

    Args:
        folder (str): The folder; made if missing.
        settings (dict): What a vector depends on; plain values.
        video_ids (Iterable[str]): The videos of the run.
        mix (bool): Whether other settings than those of the folder may be added to it.

    Raises:
        MixError: if the folder was made with other settings and ``mix`` is false.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / MANIFEST
    with _locked(folder):
        manifest = json.loads(path.read_text()) if path.exists() else dict(schema_version=1, settings=[], videos=[])
        for there in manifest['settings']:
            differing = [key for key in settings if there.get(key) != settings[key]]
            if differing and not mix:
                named = '; '.join(f'{key} is {there.get(key)!r} there, {settings[key]!r} here' for key in differing)
                raise MixError(
                    f'{folder} was made with other settings: {named}. Choose another --out, or add --mix to keep '
                    'what is there and go on with the new settings'
                )
        if settings not in manifest['settings']:
            manifest['settings'].append(settings)
        manifest['videos'] = sorted({*manifest['videos'], *video_ids})
        write_whole(path, (json.dumps(manifest, indent=1, sort_keys=True) + '\n').encode())


def read_failures(folder):
    """Failures of a folder's runs.

    Args:
        folder (str): An embedding folder.

    Returns:
        list[dict]: video_id, path, stage ('open', 'decode', 'timeout', 'crash'), reason; with ``clips``, the number
        of clips before the fault, where those were kept.
    """
    path = Path(folder) / FAILURES
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith('\n')]  # the last one may be half written


def add_failure(folder, failure):
    """Add a failure to the end of a folder's list.

    Args:
        folder (str): An embedding folder.
        failure (dict): As :func:`read_failures` gives.
    """
    with _locked(folder), open(Path(folder) / FAILURES, 'a') as file:
        file.write(json.dumps(failure, sort_keys=True) + '\n')


def forget_failures(folder, video_ids):
    """Take videos that are to be tried again from a folder's list of failures.

    Args:
        folder (str): An embedding folder.
        video_ids (Iterable[str]): Ids of videos.
    """
    video_ids = set(video_ids)
    with _locked(folder):
        kept = [failure for failure in read_failures(folder) if failure['video_id'] not in video_ids]
        lines = ''.join(json.dumps(failure, sort_keys=True) + '\n' for failure in kept)
        write_whole(Path(folder) / FAILURES, lines.encode())


@contextmanager
def _locked(folder):
    with open(os.path.join(folder, '.lock'), 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
