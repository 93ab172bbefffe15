"""Arrays in npy and npz files from other people, which cannot claim more memory than the file has bytes."""

import io
import zipfile

import numpy as np

from .files import check_size
from .reading import MAX_BYTES, read_bytes

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def parse_npy(content):
    """Parse the content (bytes) of an npy file into a read-only array of numbers or text."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f'npy version {version} is not supported')
    shape, fortran_order, dtype = HEADERS[version](file)
    array = np.frombuffer(content, dtype, offset=file.tell())
    return array.reshape(shape, order='F' if fortran_order else 'C')


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
