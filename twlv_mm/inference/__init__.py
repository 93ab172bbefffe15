"""A trained model over videos: results as json and csv, and pictures of them.

videos.py runs the inferencer of a task over videos, model.py loads what a run has trained, video_embedder.py embeds
videos as its config does. drawing_hook.py and video_drawing_hook.py draw what a test finds, with frames of the videos
from frames.py and video_strips.py.
"""

from .drawing_hook import DrawingHook
from .frames import read_strip, reading
from .model import load_model, made_with
from .video_drawing_hook import VideoDrawingHook
from .video_embedder import VideoEmbedder
from .video_strips import VideoStrips
from .videos import SEGMENT_COLUMNS, InferenceSummary, infer_videos, segment_rows

__all__ = [
    'SEGMENT_COLUMNS',
    'DrawingHook',
    'InferenceSummary',
    'VideoDrawingHook',
    'VideoEmbedder',
    'VideoStrips',
    'infer_videos',
    'load_model',
    'made_with',
    'read_strip',
    'reading',
    'segment_rows',
]
