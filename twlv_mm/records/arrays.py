"""Arrays in npy and npz files from other people, which cannot claim more memory than the file has bytes."""

import io
import zipfile
from functools import lru_cache

import numpy as np

from .files import check_size
from .reading import MAX_BYTES, read_bytes

MAGIC = b'\x93NUMPY'
# Version -> where the text of the header starts, and numpy's parser.
HEADERS = {
    b'\x01\x00': (10, np.lib.format.read_array_header_1_0),
    b'\x02\x00': (12, np.lib.format.read_array_header_2_0),
}


def parse_npy(content):
    """Parse the content (bytes) of an npy file into a read-only array of numbers or text."""
    version = content[6:8]
    if not content.startswith(MAGIC) or version not in HEADERS:
        raise ValueError('not an npy file of version 1 or 2')
    offset = HEADERS[version][0]
    start = offset + int.from_bytes(content[8:offset], 'little')
    shape, fortran_order, dtype = _parse_header(content[:start])
    return np.frombuffer(content, dtype, offset=start).reshape(shape, order='F' if fortran_order else 'C')


@lru_cache(maxsize=1024)
def _parse_header(header):
    # Parsing headers takes two thirds of np.load's time for small files, and the files of a folder share few headers.
    return HEADERS[header[6:8]][1](io.BytesIO(header[8:]))


def read_npz(path, *, max_bytes=MAX_BYTES):
    """Read an npz file.

    Args:
        path (str | Path): The file.
        max_bytes (int): Largest size of all arrays, uncompressed.

    Returns:
        dict[str, ndarray]: arrays by name.
    """
    content = read_bytes(path, max_bytes=max_bytes)  # zipfile takes any error of reading for damage
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        check_size(sum(member.file_size for member in archive.infolist()), max_bytes, 'it unpacks to')
        return {name.removesuffix('.npy'): parse_npy(archive.read(name)) for name in archive.namelist()}
