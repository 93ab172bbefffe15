"""Finding a test run and reading its errors."""

from pathlib import Path

from twlv_mm.records import checks, path_below

from ..run_records import find_runs
from .cases import merge_folds
from .localization import localization_errors
from .recognition import recognition_errors
from .segmentation import segmentation_errors


def _detection_errors(path, **options):
    from .detection import detection_errors  # late: twlv_mm.detection imports mmdet, which takes seconds

    return detection_errors(path, **options)


# Task -> file of predictions beside results.json, and its reader.
READERS = {
    'recognition_linear': ('predictions.json', recognition_errors),
    'recognition_attentive': ('predictions.json', recognition_errors),
    'recognition_finetune': ('predictions.json', recognition_errors),
    'recognition_knn': ('predictions.json', recognition_errors),
    'localization': ('predictions.json', localization_errors),
    'segmentation': ('predictions.json', segmentation_errors),
    'detection': ('predictions.csv', _detection_errors),
}
SCORED = 'localization', 'detection'  # tasks with a score threshold


def find_errors(path, min_score=None):
    """Find the newest test run below a folder and read its errors.

    Args:
        path (str | Path): A results.json, or a folder that is searched with its sub-folders. The results.json of a
            cross-validation stands for all of its folds.
        min_score (float, optional): Score threshold of localization and detection; by default the one with the highest
            F1.

    Returns:
        tuple[Run, Errors, list[Run]]: the run, its errors, and the older runs that were found.

    Raises:
        FileNotFoundError: if the folder does not exist or has no run with predictions.
        ValueError: if the file of predictions is damaged, or the task has no scores for ``min_score``.
    """
    path = Path(path)
    folder = path.parent if path.is_file() else path
    below = [run for run in find_runs(folder).runs if run.record['task'] in READERS]
    runs = [run for run in below if run.path == path] if path.is_file() else below
    files = {run.path: _prediction_files(run, below) for run in runs}
    having = [run for run in runs if files[run.path]]
    if not having:
        tested = f'; the test of {runs[-1].path} wrote none: run twlv test again' if runs else ''
        raise FileNotFoundError(f'no results.json with a file of predictions beside it in {path}{tested}')
    run = having[-1]
    task = run.record['task']
    options = {} if min_score is None else dict(min_score=min_score)
    if options and task not in SCORED:
        raise ValueError(f'--min-score does not apply to {task}, only to {" and ".join(SCORED)}')
    if task == 'detection':
        offset = run.record['protocol'].get('offset_seconds', 0)
        options['offset_seconds'] = checks.number(offset, f'{run.path}, its offset_seconds')
    found = [READERS[task][1](file, **options) for file in files[run.path]]
    folds = [file.parent for file in files[run.path]]
    others = [one for one in having[:-1] if one.path.parent not in folds]
    return run, found[0] if len(found) == 1 else merge_folds(found), others


def _prediction_files(run, runs):
    """The prediction file beside a run; for a cross-validation those of the newest run of each fold."""
    name = READERS[run.record['task']][0]
    if 'folds' not in run.record:
        return [path_below(run.path.parent, name)] if (run.path.parent / name).is_file() else []
    folders = {}
    for one in runs:  # oldest first
        fold = one.record['protocol'].get('fold')
        if fold is not None and run.path.parent in one.path.parents and (one.path.parent / name).is_file():
            folders[str(fold)] = path_below(one.path.parent, name)
    return [folders[fold] for fold in sorted(folders)]
