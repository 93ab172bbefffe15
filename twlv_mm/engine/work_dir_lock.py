"""One run at a time trains in a work dir."""

import fcntl
import os
from contextlib import contextmanager

from twlv_mm.records.files import open_own


class WorkDirError(ValueError):
    """Another run trains in the work dir."""


@contextmanager
def alone_in(work_dir):
    """Keep other runs from training in a work dir while the block runs; the system ends that if the process dies.

    Args:
        work_dir (str): The run's.

    Raises:
        WorkDirError: if another process trains there.
    """
    # Not flock, which the workers of a data loader would inherit and hold for seconds after a kill.
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
