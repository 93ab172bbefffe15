"""Building a folder of generated files in parallel, with a manifest of what made it and whether it is complete."""

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from twlv_mm.embeddings.progress import track
from twlv_mm.encoders import file_sha256
from twlv_mm.records import checks, read_json, remove_leftovers, write_json

from .scene import SPLITS

MANIFEST = 'manifest.json'
# Part of every manifest's settings: increase it whenever the same seed gives other files.
GENERATOR_VERSION = 1


class FolderError(ValueError):
    """A folder holds something other than what is to be built there."""


def item_rng(seed, split, index):
    """The random generator of one item, which depends on seed, split ('train' or 'test') and index only."""
    return np.random.default_rng(np.random.SeedSequence([seed, SPLITS.index(split), index]))


def check_counts(**counts):
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f'{name} is {count}; it must be at least 1')


def item_jobs(function, folder, seed, num_train, num_test):
    """Jobs for :func:`build`, one per item: ``function(folder, seed, split, index)``."""
    return [
        (function, dict(folder=str(folder), seed=seed, split=split, index=index))
        for split, count in zip(SPLITS, (num_train, num_test), strict=True)
        for index in range(count)
    ]


def build(folder, jobs, *, settings, annotate, workers=None):
    """Run jobs that write files into a folder, then write the annotations, then the manifest.

    A finished folder with the same settings is left as it is. An unfinished or damaged one is written again, with the
    same bytes. ``manifest.json`` has settings, complete (bool) and files (relative name -> SHA-256).

    Args:
        folder (str): Where to write; made if missing.
        jobs (list[tuple[Callable, dict]]): A module's function and its keyword arguments, picklable. It writes files
            below the folder and returns a small dict.
        settings (dict): What the files depend on, JSON-compatible.
        annotate (Callable): Called with the list of the jobs' results, in their order; writes the annotations.
        workers (int, optional): Processes; by default one per CPU core.

    Returns:
        bool: False if the folder was finished.

    Raises:
        FolderError: if the folder has other settings, or holds files and no manifest.
    """
    folder = Path(folder)
    settings = json.loads(json.dumps({'generator_version': GENERATOR_VERSION, **settings}))
    if _is_finished(folder, settings):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *filter(Path.is_dir, folder.rglob('*'))):
        remove_leftovers(path)
    _write_manifest(folder, settings, complete=False)
    workers = min(workers or os.cpu_count(), len(jobs))
    annotate([*track(_results(jobs, workers), str(folder), len(jobs))])
    _write_manifest(folder, settings, complete=True)
    return True


def _is_finished(folder, settings):
    if not folder.exists() or not any(folder.iterdir()):
        return False
    try:
        manifest = read_json(folder / MANIFEST, dict)
        there, files = (checks.instance(manifest[name], dict, name) for name in ('settings', 'files'))
        complete = manifest['complete']
    except (FileNotFoundError, ValueError, KeyError) as error:
        raise FolderError(
            f'{folder} holds files but no readable {MANIFEST}, and is not overwritten: give another folder, or remove '
            'this one'
        ) from error
    if there != settings:
        names = sorted(k for k in {*there, *settings} if there.get(k) != settings.get(k))
        differences = ', '.join(f'{k} is {there.get(k)!r}, not {settings.get(k)!r}' for k in names)
        raise FolderError(f'{folder} was made with other settings ({differences}): give another folder, or remove it')
    return complete and all((folder / f).is_file() and file_sha256(folder / f) == files[f] for f in files)


def _results(jobs, workers):
    if workers <= 1:
        yield from map(_run, jobs)
        return
    # Not forked: the threads of torch and OpenCV do not survive a fork.
    with ProcessPoolExecutor(workers, get_context('spawn'), initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from pool.map(_run, jobs, chunksize=max(1, min(16, len(jobs) // (4 * workers))))


def _run(job):
    function, arguments = job
    return function(**arguments)


def _write_manifest(folder, settings, complete):
    files = {}
    if complete:
        paths = sorted(p for p in folder.rglob('*') if p.is_file() and p.name != MANIFEST)
        files = {path.relative_to(folder).as_posix(): file_sha256(path) for path in paths}
    write_json(folder / MANIFEST, dict(settings=settings, complete=complete, files=files), indent=1)
