"""Which checkpoint a run goes on from."""

import os.path as osp
import zipfile
from glob import escape, glob


def latest_checkpoint(work_dir, logger):
    """Find the newest complete training checkpoint of a work dir.

    The one named in ``last_checkpoint`` if it is there and complete. Otherwise (a run can be killed while it writes
    that file, or a checkpoint) the newest complete ``epoch_*.pth`` or ``iter_*.pth``, with a warning.

    Args:
        work_dir (str): Where a run left its checkpoints.
        logger (logging.Logger): Takes the warning.

    Returns:
        str | None: path of the checkpoint; None if there is none to go on from.
    """
    record = osp.join(work_dir, 'last_checkpoint')
    named = None
    if osp.isfile(record):
        with open(record) as file:
            named = file.read().strip()
        if '://' in named or _is_complete(named):
            return named

    files = glob(osp.join(escape(work_dir), 'epoch_*.pth')) + glob(osp.join(escape(work_dir), 'iter_*.pth'))
    complete = [path for path in files if _is_complete(path)]
    latest = max(complete, key=osp.getmtime, default=None)
    if named is not None or files:
        logger.warning(
            f'{record} names no complete checkpoint ({named!r}): the run was probably killed while it saved. '
            f'The newest complete one is {latest}.'
        )
    return latest


def _is_complete(path):
    # A checkpoint is a zip archive, whose directory comes last: a file that was cut off has none.
    return osp.isfile(path) and zipfile.is_zipfile(path)
