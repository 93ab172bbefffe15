"""Generated videos with ground truth, for the demo, the tests and the synthetic configs.

scene.py draws actors, motions and backgrounds; trimmed.py, untrimmed.py, boxes.py and images.py make datasets of them,
with annotations.py and build.py.
"""

from twlv_mm.video import write_video

from .boxes import make_boxes
from .build import FolderError, build, item_rng
from .images import make_images
from .scene import APPEARANCES, MOTIONS, OPPOSITES, Actor, background, motion_path
from .trimmed import make_trimmed, render_clip
from .untrimmed import make_untrimmed

__all__ = [
    'APPEARANCES',
    'MOTIONS',
    'OPPOSITES',
    'Actor',
    'FolderError',
    'background',
    'build',
    'item_rng',
    'make_boxes',
    'make_images',
    'make_trimmed',
    'make_untrimmed',
    'motion_path',
    'render_clip',
    'write_video',
]
