"""Arrays in other people's npy and npz files, which take no more memory than their bytes."""

import io
import zipfile

import numpy as np

from .files import check_size
from .reading import MAX_BYTES, read_bytes

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def parse_npy(content):
    """The array in an npy file.

    Args:
        content (bytes): Of the file.

    Returns:
        ndarray: of numbers or text, read-only.

    Raises:
        Exception: of any kind, if it is damaged or holds objects.
    """
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f'version {version} of npy is not read')
    shape, fortran_order, dtype = HEADERS[version](file)
    array = np.frombuffer(content, dtype, offset=file.tell())
    return array.reshape(shape, order='F' if fortran_order else 'C')


def read_npz(path, *, max_bytes=MAX_BYTES):
    """Read an npz file.

    Args:
        path (str | Path): The file.
        max_bytes (int): The most that its arrays may have, however small it is compressed.

    Returns:
        dict[str, ndarray]: by name.

    Raises:
        Exception: of any kind, if it is damaged, larger, or holds objects.
    """
    content = read_bytes(path, max_bytes=max_bytes)  # zipfile takes any error of reading for damage
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        check_size(sum(member.file_size for member in archive.infolist()), max_bytes, 'it unpacks to')
        return {name.removesuffix('.npy'): parse_npy(archive.read(name)) for name in archive.namelist()}
