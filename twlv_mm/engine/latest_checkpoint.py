"""Which checkpoint a run goes on from."""

import os.path as osp
import re
import zipfile
from glob import escape, glob
from pathlib import Path

RECORD = 'last_checkpoint'


class ResumeError(ValueError):
    """A run cannot go on from where it was; the message says what can be done."""


def latest_checkpoint(work_dir, logger):
    """Find the training checkpoint that a run goes on from.

    The one named in ``last_checkpoint``, which may have moved together with the work dir. A folder that has checkpoints
    and no such record, or an empty one, gives the complete ``epoch_*.pth`` or ``iter_*.pth`` with the highest number,
    and a warning.

    Args:
        work_dir (str): Where a run left its checkpoints.
        logger (logging.Logger): Takes the warning.

    Returns:
        str | None: path of the checkpoint; None if the folder has neither a record nor checkpoints.

    Raises:
        ResumeError: if there is something to go on from, and it is missing or damaged.
    """
    record = osp.join(work_dir, RECORD)
    named = Path(record).read_text().strip() if osp.isfile(record) else ''
    if '://' in named or _is_complete(named):
        return named
    if named and _is_complete(beside := osp.join(work_dir, osp.basename(named))):
        return beside

    files = [path for kind in ('epoch', 'iter') for path in glob(osp.join(escape(str(work_dir)), f'{kind}_*.pth'))]
    latest = max(filter(_is_complete, files), key=_number, default=None)
    if named:
        what = f'{record} names {named}, which is {"damaged" if osp.exists(named) else "missing"}'
    elif files and latest is None:
        what = f'{work_dir} has no {RECORD}, and {", ".join(sorted(map(osp.basename, files)))} cannot be read'
    else:
        if latest is not None:
            logger.warning(f'{work_dir} has no {RECORD}: going on from its complete checkpoint of the highest number.')
        return latest
    raise ResumeError(
        f'{what}. '
        + (f'To go on from the newest complete checkpoint: --resume {latest}. ' if latest else '')
        + 'To start anew, choose another work dir, or leave --resume out'
    )


def how_to_go_on(work_dir, log_dir):
    """Say what there is to go on from, after a run was stopped.

    Args:
        work_dir (str): The run's.
        log_dir (str): The folder in it that the run has made.

    Returns:
        str: a sentence.
    """
    if not osp.isdir(log_dir):
        return f'{work_dir} was moved or deleted during the run'
    record = Path(work_dir, RECORD)
    if not record.is_file():
        return f'There is no checkpoint in {work_dir} yet: training will start anew'
    return f'The same command with --resume goes on from {record.read_text().strip()}'


def _number(path):
    digits = re.findall(r'\d+', osp.basename(path))
    return int(digits[-1]) if digits else -1


def _is_complete(path):
    # A checkpoint is a zip archive, whose directory comes last: a file that was cut off has none.
    if not osp.isfile(path):
        return False
    with open(path, 'rb') as file:  # is_zipfile, given a path, says no where permission is denied
        return zipfile.is_zipfile(file)
