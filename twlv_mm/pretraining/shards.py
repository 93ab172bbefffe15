"""Members of tar files, read where they lie: the index of a tar file, and the file backend that reads by it.

WebDataset's own library streams shards, so that resuming reads again what was trained on, and the order depends on the
number of workers. With an index any sample is one read, and a step's samples depend on the step alone.
"""

import argparse
import glob
import os
import re
import tarfile

import numpy as np
from mmengine.fileio import FileClient, LocalBackend, register_backend
from mmengine.utils import track_iter_progress

from twlv_mm.records import checks, open_regular, raise_if_system, writing

IMAGES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp')
VIDEOS = ('.mp4', '.mkv', '.webm', '.avi', '.mov', '.m4v')
PREFIX = 'tar://'
_MEMBER = re.compile(r'tar://(?P<tar>.+\.tar)/(?P<name>.+)\?(?P<offset>\d+)\+(?P<size>\d+)', re.DOTALL)


def index_path(path):
    """Where the index of a tar file is.

    Args:
        path (str): The tar file.

    Returns:
        str: beside it.
    """
    return f'{path}.index.npy'


def member_path(path, name, offset, size):
    """Name for a member of a tar file that :class:`TarBackend` reads.

    Args:
        path (str): The tar file, ``*.tar``.
        name (str): The member's name.
        offset (int): Where its bytes begin in the tar file.
        size (int): Number of its bytes.

    Returns:
        str: ``tar://<path>/<name>?<offset>+<size>``.
    """
    return f'{PREFIX}{path}/{name}?{offset}+{size}'


class TarBackend(LocalBackend):
    """mmengine's file backend 'twlv_tar': members of tar files by the names of :func:`member_path`, and plain files."""

    def get(self, filepath):
        """Read.

        Args:
            filepath (str): A name from :func:`member_path`, or a path.

        Returns:
            bytes: the content.

        Raises:
            OSError: if the tar file is not there, or ends before the member does.
        """
        member = _MEMBER.fullmatch(str(filepath))
        if member is None:
            return super().get(filepath)
        offset, size = int(member['offset']), int(member['size'])
        with open_regular(member['tar']) as file:
            if offset + size > os.fstat(file.fileno()).st_size:
                raise OSError(f'{member["tar"]} ends within its member {member["name"]}')
            file.seek(offset)
            return file.read(size)


register_backend('twlv_tar', TarBackend, prefixes='tar', force=True)
FileClient.register_backend('twlv_tar', TarBackend, force=True)  # what mmaction2's DecordInit reads with


def index_shard(path, suffixes=IMAGES + VIDEOS):
    """Write the index of a tar file beside it.

    Args:
        path (str): The tar file, not compressed.
        suffixes (tuple[str]): Of the members that are samples, lower case. Captions and the like are not.

    Returns:
        tuple[int, str | None]: number of samples, and what is wrong with the tar file: those before the damage are
        indexed then.

    Raises:
        ValueError: if there are both images and videos, or the file is not called ``*.tar``.
    """
    if not path.endswith('.tar'):
        raise ValueError(f'{path} is not called *.tar, by which its members are found: rename it')
    members, fault = [], None
    try:
        with tarfile.open(path, 'r:') as tar:
            for member in tar:
                if member.isfile() and os.path.splitext(member.name)[1].lower() in suffixes:
                    members.append((os.fsencode(member.name), member.offset_data, member.size))
                tar.members = []  # tarfile keeps all it has met
    except (tarfile.TarError, OSError, EOFError) as error:
        raise_if_system(error, path)
        fault = str(error)
    length = os.path.getsize(path)
    if members and members[-1][1] + members[-1][2] > length:
        fault = fault or 'unexpected end of data'
        members.pop()
    kinds = {os.path.splitext(name)[1].decode().lower() in VIDEOS for name, _, _ in members}
    if len(kinds) > 1:
        raise ValueError(f'{path} has both images and videos: say which are samples with --suffixes')
    width = max((len(name) for name, _, _ in members), default=1)
    index = np.array(members, dtype=[('name', f'S{width}'), ('offset', '<i8'), ('size', '<i8')])
    with writing(index_path(path)) as file:
        np.save(file, index, allow_pickle=False)
    return len(members), fault


def index_shards(argv=None):
    """Index tar files as ``tools/data/index_shards.py`` does.

    Args:
        argv (list[str], optional): Arguments; those of the process if None.

    Returns:
        int: 0; 1 if a tar file is damaged or has no sample, after a line for each.
    """
    parser = argparse.ArgumentParser(description='Write <shard>.index.npy beside each tar file.')
    parser.add_argument('shards', nargs='+', help='tar files, or patterns of them')
    parser.add_argument(
        '--suffixes', nargs='+', default=IMAGES + VIDEOS, help='of the samples; default: all images and videos'
    )
    args = parser.parse_args(argv)
    paths = sorted({path for pattern in args.shards for path in glob.glob(pattern)})
    if not paths:
        parser.error(f'there is no file {" ".join(args.shards)}')
    total, faults = 0, []
    for path in track_iter_progress(paths):
        try:
            count, fault = index_shard(path, tuple(suffix.lower() for suffix in args.suffixes))
        except ValueError as error:
            parser.error(str(error))
        total += count
        if fault or not count:
            faults.append(f'{path}: {fault or "no sample"}; {count} samples are indexed')
    print(f'\n{total} samples in {len(paths)} tar files.')
    for fault in faults:
        print(checks.printable(fault))
    return int(bool(faults))
