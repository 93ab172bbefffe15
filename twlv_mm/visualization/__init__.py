"""Drawing that several rooms need."""

from .confusion_matrix import draw_confusion_matrix
from .contact_sheet import contact_sheet
from .timeline import draw_timeline
from .video_labels import draw_video_labels

__all__ = ['contact_sheet', 'draw_confusion_matrix', 'draw_timeline', 'draw_video_labels']
