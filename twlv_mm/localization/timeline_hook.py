"""Draws the predictions of a test below the annotated actions."""

from twlv_mm.inference import VideoDrawingHook
from twlv_mm.registry import HOOKS
from twlv_mm.visualization import draw_timeline


@HOOKS.register_module()
class LocalizationVisualizationHook(VideoDrawingHook):
    """Draw the videos of a test as timelines, ``<out_dir>/<video_id>.png``: predictions below the annotated actions.

    tools/test.py --show-dir DIR enables it. ``min_score`` is the lowest score to draw; for other arguments see
    :class:`~twlv_mm.inference.VideoDrawingHook`. In a config::

        default_hooks = dict(
            visualization=dict(type='twlv_mm.LocalizationVisualizationHook', videos='data/thumos14/videos/test'))
    """

    def __init__(self, *args, min_score=0.05, **kwargs):
        super().__init__(*args, **kwargs)
        self.min_score = min_score

    def draw(self, path, sample, classes, strip):
        found, true = sample.pred_instances, sample.gt_instances
        found = found[found.scores >= self.min_score]
        predictions = _actions(found.segments, found.labels, classes)
        for action, score in zip(predictions, found.scores.tolist(), strict=True):
            action['score'] = score
        truth = _actions(sample.origin + true.segments * sample.step, true.labels, classes)
        draw_timeline(path, sample.duration, predictions, truth, classes=classes, title=sample.video_id, **strip)


def _actions(segments, labels, classes):
    return [
        dict(label=classes[label], start=start, end=end)
        for (start, end), label in zip(segments.tolist(), labels.tolist(), strict=True)
    ]
