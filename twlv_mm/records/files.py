"""Files that appear whole or not at all, logs and locks that follow no links, and reading of other people's files.

A folder that was received from somebody may have links where this project writes. Nothing here follows a link in the
last place of a path: a link is replaced by the new file, or refused.
"""

import errno
import fcntl
import json
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

# Environment variable: bytes of the largest file that is read.
LIMIT = 'TWLV_MAX_BYTES'
# Errors of writing, which the system reports without the name of the file.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
# Errors that say nothing about what a file holds: permissions, limits of a process, disks and network file systems.
SYSTEM_ERRORS = (
    *DISK_ERRORS,
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS),
    *(errno.ENODEV, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EREMOTEIO),
)


@contextmanager
def writing(path, mode='wb', **kwargs):
    """Write a file that appears under its name when it is complete and on the disk.

    Until then it has a random name in the same folder, beginning with a dot and ending in ``.part``. If the block
    raises, that file is removed and the old one stays as it was.

    Args:
        path (str | Path): The file; its folder exists.
        mode (str): 'wb' or 'w' (UTF-8 unless ``encoding`` is given). The file can be read back and sought.
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
    """Write text in UTF-8 as :func:`writing` does; a lone surrogate is written as ``\\udc80``, say."""
    write_bytes(path, content.encode('utf-8', 'backslashreplace'))


def write_json(path, content, *, indent=2, sort_keys=False):
    """Write json as :func:`writing` does.

    Args:
        path (str | Path): The file.
        content (dict | list): Of what json has; NaN and infinity are not of it.
        indent (int | None): Spaces a level.
        sort_keys (bool): Whether keys are in alphabetical order.

    Raises:
        ValueError: if there is a NaN or an infinity.
    """
    write_text(path, json.dumps(content, indent=indent, sort_keys=sort_keys, allow_nan=False) + '\n')


def append_line(path, line):
    """Append a line to a log, in one write, so that lines of several processes do not mix.

    Args:
        path (str | Path): The log; made if it is not there.
        line (str): Without a line end.

    Raises:
        OSError: if there is a link or something else than a regular file in its place.
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
    """Open a log for what a program says; what was in it is gone.

    Args:
        path (str | Path): The log.

    Yields:
        TextIO: the open file.

    Raises:
        OSError: if there is a link or something else than a regular file in its place.
    """
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
        path (str | Path): The lock file; made if it is not there, and left there.
        wait (bool): Whether to wait for whoever holds it.

    Raises:
        BlockingIOError: if another process holds it and ``wait`` is false.
        OSError: if there is a link or something else than a regular file in its place.
    """
    descriptor = open_own(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def open_regular(path, *, max_bytes=None):
    """Open a file for reading in binary, if it is a regular file and not larger than expected.

    Pipes and devices, which could block for ever or never end, are refused without being read.

    Args:
        path (str | Path): The file; links are followed.
        max_bytes (int, optional): The largest size that makes sense for what is to be read.

    Returns:
        BinaryIO: the open file.

    Raises:
        OSError: if it is not there or is no regular file.
        ValueError: if it is larger than ``max_bytes``.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f'{path} is not a regular file')
        if max_bytes is not None:
            check_size(status.st_size, max_bytes, f'{path} has')
        return open(path, 'rb', opener=lambda *_: descriptor)  # its name is the path
    except BaseException:
        os.close(descriptor)
        raise


def check_size(size, most, what):
    """Check that a file is not larger than expected, or than the user has said in the environment.

    Args:
        size (int): Its bytes.
        most (int): As many as make sense for what it is for.
        what (str): For the message, '<file> has' say.

    Raises:
        ValueError: if it is larger.
    """
    raised = os.environ.get(LIMIT, '0')
    if not raised.isdecimal():
        raise ValueError(f'{LIMIT} is {raised!r}; it has to be a number of bytes')
    if size > max(most, int(raised)):
        raise ValueError(
            f'{what} {size:,} bytes, more than the {most:,} expected of such a file: set {LIMIT} to read it '
            'all the same'
        )


def raise_if_system(error, path):
    """Raise an error again if it is the system's: permission denied, too many open files, a failing disk.

    What reads other people's files calls this before it takes an error for damage of the file.

    Args:
        error (BaseException): Any.
        path (str | Path): What was being read, for an error that names no file.

    Raises:
        OSError: the same error.
    """
    if isinstance(error, OSError) and error.errno in SYSTEM_ERRORS:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise error


def remove_leftovers(folder):
    """Remove what killed processes were writing in a folder by :func:`writing`; what others are writing stays.

    Args:
        folder (str | Path): Without its subfolders.
    """
    for path in Path(folder).glob('.*.part'):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
            finally:
                os.close(descriptor)


def sync_folder(folder):
    """Have the names in a folder written to the disk, where its file system can."""
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
    """A new file beside another, locked while it is open."""
    while True:
        # Names may be as long as the file system allows, which leaves no room for what is added.
        temporary = path.with_name(f'.{path.name[:40]}.{secrets.token_hex(8)}.part')
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # another process took it for a leftover before it was locked


def open_own(path, flags):
    """Open a file that only this project writes, without following a link; made if it is not there.

    Args:
        path (str | Path): The file.
        flags (int): Of :func:`os.open`.

    Returns:
        int: the descriptor.

    Raises:
        OSError: if there is a link or something else than a regular file in its place.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f'{path} is not a regular file')
    return descriptor
