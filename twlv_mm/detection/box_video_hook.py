"""Draws the predicted and annotated boxes of a test on its keyframes."""

from PIL import Image

from twlv_mm.inference import DrawingHook
from twlv_mm.records import path_below, writing
from twlv_mm.registry import HOOKS
from twlv_mm.visualization import DrawnBox, class_colour, draw_boxes


@HOOKS.register_module()
class DetectionVisualizationHook(DrawingHook):
    """Draw the keyframes of a test as the model sees them, ``<out_dir>/<video_id>/<timestamp>.png``.

    Predicted boxes have the colour of their best action, with their actions and scores if these reach ``min_score``;
    annotated ones are thin and white, with their actions below. tools/test.py --show-dir DIR enables it; for other
    arguments see :class:`~twlv_mm.inference.DrawingHook`. In a config::

        default_hooks = dict(visualization=dict(type='twlv_mm.DetectionVisualizationHook'))
    """

    def __init__(self, *args, min_score=0.3, **kwargs):
        super().__init__(*args, **kwargs)
        self.min_score = min_score

    def draw_sample(self, sample, classes, data_batch, place):
        height, width = sample.img_shape[:2]
        picture = data_batch['inputs'][place][:, sample.key_frame, :height, :width].permute(1, 2, 0).cpu().numpy()
        true, found = sample.gt_instances, sample.pred_instances
        shares = true.bboxes / true.bboxes.new_tensor([width, height] * 2)
        boxes = _drawn(shares, true.labels, classes, 0.5, annotated=True)
        # The best is drawn last, on top.
        order = found.scores.amax(dim=1).argsort()
        boxes += _drawn(found.bboxes[order], found.scores[order], classes, self.min_score)
        path = path_below(self.out_dir, f'{sample.video_id}/{_seconds(sample.timestamp)}.png')
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(path) as file:
            Image.fromarray(draw_boxes(picture, boxes)).save(file, 'png')

    def after_test_epoch(self, runner, metrics=None):
        if self.enable:
            runner.logger.info(f'Pictures of the keyframes are in {self.out_dir}')


def _drawn(boxes, scores, classes, min_score, annotated=False):
    drawn = []
    for box, row in zip(boxes.float().cpu().numpy(), scores.float().cpu(), strict=True):
        indices = [index for index in row.argsort(descending=True, stable=True).tolist() if row[index] >= min_score]
        if annotated:
            drawn.append(DrawnBox(box, tuple(classes[index] for index in indices), below=True))
        elif indices:
            lines = tuple(f'{classes[index]} {row[index]:.2f}' for index in indices)
            drawn.append(DrawnBox(box, lines, class_colour(indices[0]), score=row[indices[0]].item()))
    return drawn


def _seconds(timestamp):
    return f'{timestamp:04d}' if isinstance(timestamp, int) else f'{timestamp:08.3f}'
