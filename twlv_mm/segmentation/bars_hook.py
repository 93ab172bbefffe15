"""Draws the predicted labels of a test below the true ones."""

from twlv_mm.inference import VideoDrawingHook
from twlv_mm.registry import HOOKS
from twlv_mm.visualization import draw_label_bars

from .alignment import steps_to_frames
from .segments import segments_in_seconds, segments_of


@HOOKS.register_module()
class SegmentationVisualizationHook(VideoDrawingHook):
    """Draw the videos of a test as bars of coloured labels, ``<out_dir>/<video_id>.png``: truth above prediction.

    tools/test.py --show-dir DIR enables it. ``background`` has names of classes to draw in light grey; for other
    arguments see :class:`~twlv_mm.inference.VideoDrawingHook`. In a config::

        default_hooks = dict(
            visualization=dict(type='twlv_mm.SegmentationVisualizationHook', videos='data/gtea/videos'))
    """

    def __init__(self, *args, background=('background',), **kwargs):
        super().__init__(*args, **kwargs)
        self.background = background

    def draw(self, path, sample, classes, strip):
        predicted = steps_to_frames(sample.pred_steps.cpu().numpy(), sample.subsampling, sample.num_frames)
        rows = [
            (name, segments_in_seconds(segments_of(frames), sample.fps))
            for name, frames in (('ground truth', sample.frame_labels.cpu().numpy()), ('prediction', predicted))
        ]
        background = [label for label, name in enumerate(classes) if name in self.background]
        draw_label_bars(path, rows, sample.duration, classes, title=sample.video_id, background=background, **strip)
