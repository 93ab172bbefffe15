"""Drawing that several rooms use: boxes, bars, timelines, film strips, confusion matrices."""

from .box_video import DrawnBox, draw_box_video, draw_boxes
from .colours import class_colour, class_colours
from .confusion_matrix import draw_confusion_matrix
from .contact_sheet import contact_sheet
from .film_strip import film_strip, jpeg_uri, resized
from .label_bars import draw_label_bars
from .segment_video import draw_segment_video
from .timeline import draw_timeline
from .trade_off import draw_trade_off
from .video_labels import draw_video_labels

__all__ = [
    'DrawnBox',
    'class_colour',
    'class_colours',
    'contact_sheet',
    'draw_box_video',
    'draw_boxes',
    'draw_confusion_matrix',
    'draw_label_bars',
    'draw_segment_video',
    'draw_timeline',
    'draw_trade_off',
    'draw_video_labels',
    'film_strip',
    'jpeg_uri',
    'resized',
]
