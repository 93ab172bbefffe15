"""Pictures of a test: the predicted labels of a video beneath the true ones."""

from twlv_mm.inference import VideoDrawingHook
from twlv_mm.registry import HOOKS
from twlv_mm.visualization import draw_label_bars

from .alignment import steps_to_frames
from .segments import segments_in_seconds, segments_of


@HOOKS.register_module()
class SegmentationVisualizationHook(VideoDrawingHook):
    """Draw the videos of a test as bars of coloured labels, ``<out_dir>/<video_id>.png``: truth above prediction.

    tools/test.py --show-dir DIR turns it on. In a config::

        default_hooks = dict(
            visualization=dict(type='twlv_mm.SegmentationVisualizationHook', videos='data/gtea/videos'))

    Args:
        *args: Those of :class:`~twlv_mm.inference.VideoDrawingHook`.
        background (Sequence[str]): Names of the classes that are drawn light grey.
        **kwargs: Those of VideoDrawingHook.

    Raises:
        FileNotFoundError: as VideoDrawingHook.
        ValueError: as VideoDrawingHook.
    """

    def __init__(self, *args, background=('background',), **kwargs):
        super().__init__(*args, **kwargs)
        self.background = background

    def draw(self, path, sample, classes, strip):
        """Draw a video.

        Args:
            path (Path): The picture.
            sample (ActionDataSample): With ``frame_labels`` (F,), ``pred_steps`` (T,), and duration, fps, num_frames
                and subsampling.
            classes (Sequence[str]): Names of the classes.
            strip (dict): frames and frame_times, or empty.
        """
        predicted = steps_to_frames(sample.pred_steps.cpu().numpy(), sample.subsampling, sample.num_frames)
        rows = [
            (name, segments_in_seconds(segments_of(frames), sample.fps))
            for name, frames in (('ground truth', sample.frame_labels.cpu().numpy()), ('prediction', predicted))
        ]
        background = [label for label, name in enumerate(classes) if name in self.background]
        draw_label_bars(path, rows, sample.duration, classes, title=sample.video_id, background=background, **strip)
