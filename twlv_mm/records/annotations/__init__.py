"""Annotations of other tools, read and written: elan.py, cvat.py, label_studio.py, via.py, fiftyone.py, table.py (csv).

structure.py is the one form in between, converting.py tells files by their content, predictions.py reads what models
found, and project.py writes what this project trains on.
"""

from .converting import read_annotation_files, split_videos, take_lifetimes
from .cvat import write_cvat
from .elan import write_elan
from .fiftyone import write_fiftyone
from .project import BACKGROUND, write_detection, write_localization, write_segmentation
from .structure import Box, Clock, Import, Media, Segment, VideoAnnotations
from .table import write_annotation_table

__all__ = [
    'BACKGROUND',
    'Box',
    'Clock',
    'Import',
    'Media',
    'Segment',
    'VideoAnnotations',
    'read_annotation_files',
    'split_videos',
    'take_lifetimes',
    'write_annotation_table',
    'write_cvat',
    'write_detection',
    'write_elan',
    'write_fiftyone',
    'write_localization',
    'write_segmentation',
]
