"""Building a folder of generated files in parallel, so that one can tell whether it is finished and what made it."""

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from twlv_mm.encoders import file_sha256
from twlv_mm.records import checks, read_json, remove_leftovers, write_json

from .scene import SPLITS

MANIFEST = 'manifest.json'
# Part of every manifest's settings: count it up whenever the same seed gives other files.
GENERATOR_VERSION = 1


class FolderError(ValueError):
    """A folder holds something else than what is to be built there; the message says what and what to do."""


def item_rng(seed, split, index):
    """The random generator of one item, which depends on nothing but these three.

    Args:
        seed (int): Seed of the set.
        split (str): 'train' or 'test'.
        index (int): Number of the item within the split.

    Returns:
        numpy.random.Generator
    """
    return np.random.default_rng(np.random.SeedSequence([seed, SPLITS.index(split), index]))


def check_counts(**counts):
    """Check that each split has an item.

    Args:
        **counts (int): Items, by the name of the argument.

    Raises:
        ValueError: if one is less than 1.
    """
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f'{name} is {count}: at least 1 is needed')


def build(folder, jobs, *, settings, annotate, workers=None):
    """Run jobs that write files into a folder, then write the annotations, then the manifest.

    A folder that is finished with the same settings is left alone. An unfinished or damaged one is written again, which
    ends with the same bytes. ``manifest.json`` has: settings, complete (bool), files (relative name -> SHA-256).

    Args:
        folder (str): Where to; made if it does not exist.
        jobs (list[tuple[Callable, dict]]): A function of a module and its keyword arguments, which have to be
            picklable. It writes files below the folder, whose sub-folders it makes, and returns a small dict.
        settings (dict): What the files depend on, as JSON has it.
        annotate (Callable): Called with the list of the jobs' results, in their order; writes the annotations.
        workers (int, optional): Processes; as many as there are CPU cores if None.

    Returns:
        bool: whether anything had to be written.

    Raises:
        FolderError: if the folder is of other settings, or holds files and no manifest.
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
    annotate([*track(_results(jobs, workers), description=str(folder), total=len(jobs))])
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
            f'{folder} holds files but no readable {MANIFEST}, so they are not ours to replace: give another folder, '
            'or remove this one'
        ) from error
    if there != settings:
        names = sorted(k for k in {*there, *settings} if there.get(k) != settings.get(k))
        differences = ', '.join(f'{k} is {there.get(k)!r} there, {settings.get(k)!r} is wanted' for k in names)
        raise FolderError(f'{folder} was made with other settings ({differences}): give another folder, or remove it')
    return complete and all((folder / f).is_file() and file_sha256(folder / f) == files[f] for f in files)


def _results(jobs, workers):
    if workers <= 1:
        yield from map(_run, jobs)
        return
    # Not forked: the threads of torch and OpenCV do not survive it.
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
