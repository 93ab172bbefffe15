"""Annotations of other tools, read and written: ELAN, CVAT, Label Studio, VIA, FiftyOne and csv.

video_annotations.py is the common form; converting.py recognises a file's format by its content, predictions.py reads
results of tools/infer.py, and project.py writes the formats that models train on.
"""

from .converting import read_annotation_files, split_videos, take_lifetimes
from .cvat import write_cvat
from .elan import write_elan
from .fiftyone import write_fiftyone
from .project import BACKGROUND, write_detection, write_localization, write_segmentation
from .table import write_annotation_table
from .video_annotations import Box, Clock, Import, Media, Segment, VideoAnnotations

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
