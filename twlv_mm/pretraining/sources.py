"""Datasets without labels for a mixture: files of a list, or members of tar files (WebDataset shards)."""

import glob
import os

import numpy as np
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from twlv_mm.records import parsing
from twlv_mm.registry import DATASETS

from .shards import index_path, member_path

INTEGER = np.dtype('<i8')


@DATASETS.register_module()
class FileListDataset(Dataset):
    """Files of a list, without labels, in 8 bytes of memory each.

    Only the first file is checked for existence; others that are missing count as unreadable samples.
    ``twlv_mm.VideoListDataset`` reads lists with labels.

    Args:
        ann_file (str): A list with a path per line, which may contain spaces.
        pipeline (list[dict]): Transforms.
        data_prefix (dict): ``video`` is the folder that the paths start from.
    """

    def __init__(self, ann_file, pipeline, data_prefix):
        if not os.path.isfile(ann_file):
            raise FileNotFoundError(f'list {ann_file} does not exist; docs/pretraining_data.md says how to make one')
        self._folder = data_prefix['video']
        # Memory-mapped, so that all processes of a machine share one copy.
        self._text = np.memmap(ann_file, np.uint8, 'r') if os.path.getsize(ann_file) else np.empty(0, np.uint8)
        ends = np.flatnonzero(self._text == ord('\n'))
        if len(self._text) and self._text[-1] != ord('\n'):
            ends = np.append(ends, len(self._text))
        self._edges = np.concatenate([[-1], ends])
        empty = np.flatnonzero(np.diff(self._edges) == 1)
        if not len(ends) or len(empty):
            what = f'line {empty[0] + 1} is empty' if len(empty) else 'it lists nothing'
            raise ValueError(f'{ann_file}: {what}; every line must be the path of a file')
        first = self.get_data_info(0)['filename']
        if not os.path.isfile(first):
            raise FileNotFoundError(
                f'{first}, the first file of {ann_file}, is not there: set data_prefix to its folder'
            )
        self.pipeline = Compose(pipeline)

    def __len__(self):
        return len(self._edges) - 1

    def get_data_info(self, index):
        """filename, modality and start_index of a sample, before its transforms."""
        line = os.fsdecode(bytes(self._text[self._edges[index] + 1 : self._edges[index + 1]]))
        return _info(os.path.join(self._folder, line.rstrip('\r')))


@DATASETS.register_module()
class ShardDataset(Dataset):
    """Videos or images in tar files, as img2dataset and video2dataset write them, read in place.

    Transforms that open files must support this, as ``OpenVideo`` and ``ImageDecode`` do; mmaction2's take
    ``DecordInit(io_backend='twlv_tar')``. ``shards`` is a pattern, such as ``data/cc3m/*.tar``; each tar file has an
    index beside it, from ``tools/data/index_shards.py``.
    """

    def __init__(self, shards, pipeline):
        self._paths = sorted(glob.glob(shards))
        if not self._paths:
            raise FileNotFoundError(f'tar file {shards} does not exist')
        bare = [path for path in self._paths if not os.path.isfile(index_path(path))]
        if bare:
            raise FileNotFoundError(
                f'{len(bare)} of the tar files {shards} have no index, the first is {bare[0]}: run '
                f"python tools/data/index_shards.py '{shards}'"
            )
        counts = []
        for path in self._paths:
            index = _read_index(path)
            if len(index) and os.path.getsize(path) < index['offset'][-1] + index['size'][-1]:
                raise ValueError(f'{path} is shorter than its index says: copy it again, or index it again')
            counts.append(len(index))
        self._ends = np.cumsum(counts)
        if not self._ends[-1]:
            raise ValueError(f'the tar files {shards} contain no sample')
        self.pipeline = Compose(pipeline)

    def __len__(self):
        return int(self._ends[-1])

    def get_data_info(self, index):
        """As :meth:`FileListDataset.get_data_info`; filename is a :func:`member_path`."""
        shard = int(np.searchsorted(self._ends, index, side='right'))
        path = self._paths[shard]
        name, offset, size = _read_index(path)[index - self._ends[shard]]  # negative: from the shard's end
        return _info(member_path(path, os.fsdecode(name), offset, size))


def _read_index(path):
    # Not kept: a mapped file counts as open, and sets have more shards than a process may have open files.
    where = index_path(path)
    with parsing(where):
        index = np.load(where, mmap_mode='r', allow_pickle=False)
        kind = getattr(index, 'dtype', np.dtype(bool))
        if kind.names != ('name', 'offset', 'size') or {kind['offset'], kind['size']} != {INTEGER} or index.ndim != 1:
            raise ValueError(f'{where} is not an index of a tar file: index it again')
    return index


def _info(filename):
    return dict(filename=filename, modality='RGB', start_index=0)
