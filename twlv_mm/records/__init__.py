"""Files: written atomically, and read safely where they come from somebody else. Imports no other room.

files.py writes whole files and holds locks; reading.py reads text, json and csv, checks.py their values; paths.py keeps
names from files inside a folder; video_lists.py and class_names.py read lists of videos and names of classes; splits.py
divides datasets, tables.py writes csv, results.py and provenance.py results.json; annotations/ converts the formats of
annotation tools.
"""

from . import checks
from .arrays import parse_npy, read_npz
from .class_names import CLASSES_FILE, class_names, classes_of, names_beside, read_class_names, similar_names
from .files import (
    append_line,
    check_size,
    locked,
    open_log,
    open_regular,
    raise_if_system,
    remove_leftovers,
    write_bytes,
    write_figure,
    write_json,
    write_tensors,
    write_text,
    writing,
)
from .paths import PathError, path_below, relative_name
from .reading import (
    numbered_lines,
    parse_json,
    parsing,
    read_bytes,
    read_json,
    read_lines,
    read_rows,
    read_table,
    read_text,
)
from .splits import split_groups
from .tables import format_table, log_folder, write_class_precision, write_table
from .video_lists import list_line, read_video_list
from .yaml_files import read_yaml

__all__ = [
    'CLASSES_FILE',
    'PathError',
    'append_line',
    'check_size',
    'checks',
    'class_names',
    'classes_of',
    'format_table',
    'list_line',
    'locked',
    'log_folder',
    'names_beside',
    'numbered_lines',
    'open_log',
    'open_regular',
    'parse_json',
    'parse_npy',
    'parsing',
    'path_below',
    'raise_if_system',
    'read_bytes',
    'read_class_names',
    'read_json',
    'read_lines',
    'read_npz',
    'read_rows',
    'read_table',
    'read_text',
    'read_video_list',
    'read_yaml',
    'relative_name',
    'remove_leftovers',
    'similar_names',
    'split_groups',
    'write_bytes',
    'write_class_precision',
    'write_figure',
    'write_json',
    'write_table',
    'write_tensors',
    'write_text',
    'writing',
]
