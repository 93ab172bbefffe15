"""Inference: a trained model over videos, with results as json, csv and pictures.

videos.py runs a task's inferencer over videos. model.py loads a trained model, video_embedder.py embeds videos as its
config does. drawing_hook.py draws the results of a test, with frames of the videos from frames.py.
"""

from .drawing_hook import DrawingHook, VideoDrawingHook
from .frames import VideoStrips, read_strip, reading
from .model import load_model, made_with
from .segment_inferencer import SegmentInferencer
from .video_embedder import VideoEmbedder
from .videos import infer_videos

__all__ = [
    'DrawingHook',
    'SegmentInferencer',
    'VideoDrawingHook',
    'VideoEmbedder',
    'VideoStrips',
    'infer_videos',
    'load_model',
    'made_with',
    'read_strip',
    'reading',
]
