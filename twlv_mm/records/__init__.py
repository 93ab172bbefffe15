"""Records: how everything that this project writes gets onto the disk, and where it may go.

files.py writes whole files, appends to logs and locks, and opens other people's files; paths.py keeps names that stand
in files below a folder. This room imports no other.
"""

from .files import append_line, locked, open_regular, write_bytes, write_json, write_text, writing
from .paths import PathError, path_below

__all__ = [
    'PathError',
    'append_line',
    'locked',
    'open_regular',
    'path_below',
    'write_bytes',
    'write_json',
    'write_text',
    'writing',
]
