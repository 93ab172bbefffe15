"""Reads members of tar files in place: an index of each tar file, and a file backend that uses it.

WebDataset's own library streams shards, so that resuming reads again what was trained on, and the order depends on the
number of workers. With an index any sample is a single read, and a step's samples depend on the step alone.
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
    """Path of the index of a tar file, beside it."""
    return f'{path}.index.npy'


def member_path(path, name, offset, size):
    """Name of a member of a tar file for :class:`TarBackend`, ``tar://<path>/<name>?<offset>+<size>``, in bytes."""
    return f'{PREFIX}{path}/{name}?{offset}+{size}'


class TarBackend(LocalBackend):
    """mmengine's file backend 'twlv_tar': members of tar files by the names of :func:`member_path`, and plain files."""

    def get(self, filepath):
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
FileClient.register_backend('twlv_tar', TarBackend, force=True)  # for mmaction2's DecordInit


def index_shard(path, suffixes=IMAGES + VIDEOS):
    """Write the index of an uncompressed tar file beside it, of members with these (lower-case) suffixes.

    Returns the number of samples, and what is wrong with a damaged file, which is indexed up to the damage, or None.
    """
    if not path.endswith('.tar'):
        raise ValueError(f'{path} must be named *.tar, so that its members can be found: rename it')
    members, fault = [], None
    try:
        with tarfile.open(path, 'r:') as tar:
            for member in tar:
                if member.isfile() and os.path.splitext(member.name)[1].lower() in suffixes:
                    members.append((os.fsencode(member.name), member.offset_data, member.size))
                tar.members = []  # tarfile would keep all members in memory
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
    """Index tar files as ``tools/data/index_shards.py`` does; 1 if a tar file is damaged or has no sample, else 0."""
    parser = argparse.ArgumentParser(description='Write <shard>.index.npy beside each tar file.')
    parser.add_argument('shards', nargs='+', help='tar files, or glob patterns')
    parser.add_argument(
        '--suffixes', nargs='+', default=IMAGES + VIDEOS, help='suffixes of samples (default: all images and videos)'
    )
    args = parser.parse_args(argv)
    paths = sorted({path for pattern in args.shards for path in glob.glob(pattern)})
    if not paths:
        parser.error(f'file {" ".join(args.shards)} does not exist')
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
