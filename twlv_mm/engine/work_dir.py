"""The work dir of a run: which checkpoint to resume from, and a lock so that only one run trains there."""

import fcntl
import os
import os.path as osp
import re
import zipfile
from contextlib import contextmanager
from glob import escape, glob
from pathlib import Path

from twlv_mm.records.files import open_own

RECORD = 'last_checkpoint'


class ResumeError(ValueError):
    """A run cannot be resumed; the message says what can be done."""


def latest_checkpoint(work_dir, logger):
    """Find the checkpoint to resume training from.

    It is the one named in ``last_checkpoint``. The work dir may have been moved or copied: if it has a file of that
    name, that is the one, whatever is at the recorded path now. In a folder of checkpoints without that record, or with
    an empty one, it is the complete ``epoch_*.pth`` or ``iter_*.pth`` with the highest number, and a warning is logged.

    Args:
        work_dir (str): Folder with the checkpoints of a run.
        logger (logging.Logger): Takes the warning.

    Returns:
        str | None: path of the checkpoint; None if the folder has neither a record nor checkpoints.

    Raises:
        ResumeError: if the checkpoint is missing or damaged.
    """
    record = osp.join(work_dir, RECORD)
    named = Path(record).read_text().strip() if osp.isfile(record) else ''
    if named and osp.isfile(beside := osp.join(work_dir, osp.basename(named))):
        named = beside
    if '://' in named or _is_complete(named):
        return named

    files = [path for kind in ('epoch', 'iter') for path in glob(osp.join(escape(str(work_dir)), f'{kind}_*.pth'))]
    latest = max(filter(_is_complete, files), key=_number, default=None)
    if named:
        what = f'{record} names {named}, which is {"damaged" if osp.exists(named) else "missing"}'
    elif files and latest is None:
        what = f'{work_dir} has no {RECORD}, and {", ".join(sorted(map(osp.basename, files)))} cannot be read'
    else:
        if latest is not None:
            logger.warning(f'{work_dir} has no {RECORD}: resuming from its complete checkpoint of the highest number.')
        return latest
    raise ResumeError(
        f'{what}. '
        + (f'To resume from the newest complete checkpoint: --resume {latest}. ' if latest else '')
        + 'To start anew, choose another work dir, or leave --resume out'
    )


def has_checkpoints(work_dir):
    """Whether a run has saved checkpoints in a work dir."""
    return osp.isfile(osp.join(work_dir, RECORD))


def how_to_go_on(runner):
    """A sentence on how to resume a run that was stopped.

    Args:
        runner (Runner): Its work dir may also have the checkpoints of an earlier run, which it does not continue.
    """
    if not osp.isdir(runner.log_dir):
        return f'{runner.work_dir} was moved or deleted during the run'
    record = Path(runner.work_dir, RECORD)
    if not record.is_file() or not (runner._resume or runner.message_hub.get_info('last_ckpt')):
        return 'This run has written no checkpoint yet: training will start anew'
    return f'The same command with --resume goes on from {record.read_text().strip()}'


def _number(path):
    digits = re.findall(r'\d+', osp.basename(path))
    return int(digits[-1]) if digits else -1


def _is_complete(path):
    # A checkpoint is a zip archive with its directory at the end, which a truncated file lacks.
    if not osp.isfile(path):
        return False
    with open(path, 'rb') as file:  # given a path, is_zipfile would return False if permission is denied
        return zipfile.is_zipfile(file)


class WorkDirError(ValueError):
    """Another run is training in the work dir."""


@contextmanager
def alone_in(work_dir):
    """Keep other runs from training in a work dir while the block runs; the system releases the lock if the process
    dies.

    Raises:
        WorkDirError: if another process trains there.
    """
    # Not flock: the workers of a data loader would inherit it and hold it for seconds after a kill.
    descriptor = open_own(os.path.join(work_dir, '.training.lock'), os.O_RDWR)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # POSIX allows either
            raise WorkDirError(
                f'another run is training in {work_dir}: wait for its end, or choose another --work-dir'
            ) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(descriptor)
