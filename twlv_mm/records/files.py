"""Atomic writes, append-only logs, locks, and opening of files from somebody else.

A folder received from somebody may have links where this project writes. Nothing here follows a link in the last part
of a path: it is replaced by the new file, or refused.
"""

import errno
import fcntl
import json
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

# Environment variable: size limit of files to read, in bytes.
LIMIT = 'TWLV_MAX_BYTES'
# Write errors that the system reports without a file name.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
# Errors that say nothing about a file's content: permissions, process limits, disks, network file systems.
SYSTEM_ERRORS = (
    *DISK_ERRORS,
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS),
    *(errno.ENODEV, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EREMOTEIO),
)


@contextmanager
def writing(path, mode='wb', **kwargs):
    """Write a file atomically: it appears under its name once it is complete and on disk.

    Until then it is a hidden ``*.part`` file in the same folder. If the block raises, that is removed and an existing
    file stays as it was.

    Args:
        path (str | Path): The file; its folder must exist.
        mode (str): 'wb' or 'w' (UTF-8 unless ``encoding`` is given). The file can be read back and is seekable.
        kwargs: As for :func:`open`.

    Yields:
        IO: the open file.
    """
    path = Path(path)
    if 'b' not in mode:
        kwargs.setdefault('encoding', 'utf-8')
    try:
        temporary, descriptor = _open_temporary(path)
    except OSError as error:
        error.filename = os.fspath(path)
        raise
    try:
        with open(descriptor, mode + '+', **kwargs) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        _name_file(error, path)
        raise
    sync_folder(path.parent)


def write_bytes(path, content):
    """Write bytes as :func:`writing` does."""
    with writing(path) as file:
        file.write(content)


def write_text(path, content):
    """Write UTF-8 text as :func:`writing` does; lone surrogates become escapes such as ``\\udc80``."""
    write_bytes(path, content.encode('utf-8', 'backslashreplace'))


def write_json(path, content, *, indent=2, sort_keys=False):
    """Write json as :func:`writing` does; NaN and infinity are refused."""
    write_text(path, json.dumps(content, indent=indent, sort_keys=sort_keys, allow_nan=False) + '\n')


def write_tensors(path, content):
    """Write a checkpoint as :func:`writing` does, for ``torch.load(weights_only=True)``."""
    with writing(path) as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def write_figure(path, figure, **kwargs):
    """Write a matplotlib figure as :func:`writing` does; ``kwargs`` as for ``savefig``."""
    with writing(path) as file:
        figure.savefig(file, format=Path(path).suffix[1:], **kwargs)


def append_line(path, line):
    """Append a line to a log in one write, so that lines of several processes do not mix; the log is created if
    missing.
    """
    descriptor = open_own(path, os.O_WRONLY | os.O_APPEND)
    try:
        content = (line + '\n').encode('utf-8', 'backslashreplace')
        if os.write(descriptor, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        _name_file(error, path)
        raise
    finally:
        os.close(descriptor)


@contextmanager
def open_log(path):
    """Open a log for writing, emptied (a context manager that yields a text file)."""
    try:
        with open(open_own(path, os.O_WRONLY | os.O_TRUNC), 'w', encoding='utf-8') as file:
            yield file
    except OSError as error:
        _name_file(error, path)
        raise


@contextmanager
def locked(path, *, wait=True):
    """Hold a lock while the block runs; the system releases it if the process dies.

    Args:
        path (str | Path): The lock file; created if missing, and never removed.
        wait (bool): Whether to wait for the current holder.
    """
    descriptor = open_own(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def open_regular(path, *, max_bytes=None):
    """Open a regular file for reading in binary; pipes and devices, which could block forever, are refused.

    Args:
        path (str | Path): The file; links are followed.
        max_bytes (int, optional): Largest plausible size.

    Returns:
        BinaryIO: the open file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f'{path} is not a regular file')
        if max_bytes is not None:
            check_size(status.st_size, max_bytes, f'{path} has')
        return open(path, 'rb', opener=lambda *_: descriptor)  # keeps the path as the file's name
    except BaseException:
        os.close(descriptor)
        raise


def check_size(size, most, what):
    """Check that a file is not larger than expected, or than TWLV_MAX_BYTES allows.

    Args:
        size (int): Bytes.
        most (int): Largest plausible size.
        what (str): Beginning of the message, such as 'FILE has'.
    """
    raised = os.environ.get(LIMIT, '0')
    if not raised.isdecimal():
        raise ValueError(f'{LIMIT} is {raised!r}; it must be a number of bytes')
    if size > max(most, int(raised)):
        raise ValueError(
            f'{what} {size:,} bytes, more than the {most:,} expected of such a file: set {LIMIT} to read it anyway'
        )


def raise_if_system(error, path):
    """Re-raise a system error: permission denied, too many open files, a failing disk.

    Call this before treating an error as damage of the file that was read.

    Args:
        error (BaseException): Any error.
        path (str | Path): The file, set on errors that name none.
    """
    if isinstance(error, OSError) and error.errno in SYSTEM_ERRORS:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise error


def remove_leftovers(folder):
    """Remove what killed processes left behind by :func:`writing` in a folder; files still being written stay."""
    for path in Path(folder).glob('.*.part'):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
            finally:
                os.close(descriptor)


def sync_folder(folder):
    """Flush the names in a folder to disk, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _name_file(error, path):
    if isinstance(error, OSError) and error.errno in DISK_ERRORS and error.filename is None:
        error.filename = os.fspath(path)


def _open_temporary(path):
    """A new locked file beside another."""
    while True:
        # Shortened: the name may already be as long as the file system allows.
        temporary = path.with_name(f'.{path.name[:40]}.{secrets.token_hex(8)}.part')
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # another process removed it as a leftover before it was locked


def open_own(path, flags):
    """Open (or create) a file that only this project writes, without following links; returns the descriptor."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f'{path} is not a regular file')
    return descriptor
