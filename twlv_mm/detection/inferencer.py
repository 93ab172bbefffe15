"""Finds boxes of persons with their actions in video files."""

import os

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from twlv_mm.encoders import read_config
from twlv_mm.inference import load_model, made_with, reading
from twlv_mm.records import class_names, provenance
from twlv_mm.video import ReadFault, VideoError, open_video
from twlv_mm.visualization import DrawnBox, class_colour, draw_box_video

from .ava_annotations import read_action_names
from .transforms import SampleKeyframeClip


class DetectionInferencer:
    """Run a detector on keyframes of a video, with the clips of the config's test pipeline.

    ::

        inferencer = DetectionInferencer('my_config.py', 'epoch_50.pth')
        result = inferencer('match.mp4')
        result['keyframes'][3]['time']  # 3.0
        result['keyframes'][3]['predictions'][0]  # dict(box=[0.1, 0.2, 0.4, 0.9], pixels=[128, 144, 512, 648],
        #     actions=[dict(label='stand', index=12, score=0.93), dict(label='listen to', index=74, score=0.51)])
        inferencer.draw('match.mp4', result, 'match_boxes.mp4')

    Args:
        config (str | Path | Config): Config of a detector that needs no given boxes.
        checkpoint (str | Path): From a training run of that config.
        device (str, optional): Device to compute on; a GPU if there is one.
        classes (str | Sequence[str], optional): Names of the actions in the order of their ids, starting at 1, a file
            with one per line, or a list of AVA's (.pbtxt), which limits the actions that are reported. By default the
            names that the checkpoint was trained on, or else numbers.

    Raises:
        FileNotFoundError: if the config, the checkpoint or the file of names is missing.
        CheckpointError: if the checkpoint is another model's.
        ValueError: if the config or the names do not fit.
    """

    columns = ('time', 'x1', 'y1', 'x2', 'y2', 'label', 'index', 'score')
    drawing_suffix = '.mp4'

    def __init__(self, config, checkpoint, device=None, classes=None):
        cfg = config if isinstance(config, Config) else read_config(config)
        self.model, meta = load_model(cfg, checkpoint, device)
        if hasattr(self.model, 'roi_head'):
            raise ValueError(
                f'the {type(self.model).__name__} of {cfg.filename} needs the boxes of a person detector, but a video '
                'has none: give the config of a detector that finds them by itself, such as ava_stal.py'
            )
        self.pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
        self.sampling = next((step for step in self.pipeline.transforms if isinstance(step, SampleKeyframeClip)), None)
        if self.sampling is None:
            raise ValueError(
                f'the test pipeline of {cfg.filename} has no SampleKeyframeClip: give the config of a detector on video'
            )
        self.batch_size = cfg.test_dataloader.batch_size
        trained_on = (meta.get('dataset_meta') or {}).get('classes')
        self.classes = _class_names(trained_on if classes is None else classes, self.model.num_classes)
        self._made_with = dict(
            model=dict(
                type=type(self.model).__name__,
                encoder=provenance.encoder(getattr(self.model, 'backbone', None))['name'],
            ),
            decoder=provenance.decoder(cfg.test_dataloader),
            **made_with(cfg, checkpoint),
        )

    @torch.no_grad()
    def __call__(self, path, interval_seconds=1.0, min_score=0.3):
        """Find boxes with actions.

        Args:
            path (str): A video.
            interval_seconds (float): From one keyframe to the next; the first is the first frame.
            min_score (float): Minimum score of an action, from 0 to 1; boxes without an action are left out.

        Returns:
            dict: for json: video, duration_seconds, size (width and height in pixels), interval_seconds, keyframes
            (dicts of time, in seconds, and predictions), model (type, encoder), config, checkpoint (path, sha256),
            decoder (name, version), versions. Predictions are dicts, best first: box (x1, y1, x2, y2, normalised to
            [0, 1]), pixels (the same in pixels), actions (dicts of label, index, which is the action's id, and score,
            best first) and, if the model follows boxes through its clip, tube (times in seconds, and boxes).

        Raises:
            FileNotFoundError: if the video does not exist.
            ReadFault: if it cannot be read.
        """
        if not interval_seconds > 0:
            raise ValueError(f'interval_seconds is {interval_seconds}; it must be more than 0')
        if not 0 <= min_score <= 1:
            raise ValueError(f'min_score is {min_score}; it must be from 0 to 1')
        path = os.fspath(path)
        with reading(path, 'open'), open_video(path) as video:
            duration = float(video.frame_times[-1, 1])
            height, width = video.read([0]).shape[1:3]
        times = np.arange(0, duration, interval_seconds).tolist()
        samples = []
        for start in range(0, len(times), self.batch_size):
            with reading(path, 'decode'):
                items = [self.pipeline(_item(path, time)) for time in times[start : start + self.batch_size]]
            samples += [sample.cpu() for sample in self.model.test_step(pseudo_collate(items))]
        return dict(
            video=path,
            duration_seconds=round(duration, 3),
            size=[width, height],
            interval_seconds=interval_seconds,
            keyframes=[
                dict(time=time, predictions=self._predictions(sample, time, (width, height), min_score))
                for time, sample in zip(times, samples, strict=True)
            ],
            **self._made_with,
        )

    def draw(self, path, result, out):
        """Draw the boxes on the video, each until the next keyframe; ``out`` is an .mp4 file."""
        keyframes = [
            (one['time'], [_drawn(found) for found in reversed(one['predictions'])]) for one in result['keyframes']
        ]
        try:
            draw_box_video(path, keyframes, out)
        except VideoError as error:
            raise ReadFault(str(error), 'decode') from error

    @staticmethod
    def rows(result):
        """The values of ``columns`` for each action of each box, for summary.csv."""
        return [
            (
                f'{keyframe["time"]:.3f}',
                *(f'{edge:.4f}' for edge in found['box']),
                action['label'],
                action['index'],
                f'{action["score"]:.6f}',
            )
            for keyframe in result['keyframes']
            for found in keyframe['predictions']
            for action in found['actions']
        ]

    def _predictions(self, sample, time, size, min_score):
        found = sample.pred_instances
        if not (found.bboxes.isfinite().all() and found.scores.isfinite().all()):
            raise ValueError('boxes or scores are not finite: is the checkpoint of a run that diverged?')
        tubes = found.get('tubes')
        predictions = []
        for place, scores in enumerate(found.scores.tolist()):
            actions = [
                dict(label=self.classes[index], index=index, score=score)
                for index, score in sorted(enumerate(scores), key=lambda pair: -pair[1])
                if score >= min_score and self.classes[index]
            ]
            if not actions:
                continue
            box = found.bboxes[place].clamp(0, 1).tolist()
            pixels = [round(edge * side, 1) for edge, side in zip(box, size * 2, strict=True)]
            one = dict(box=box, pixels=pixels, actions=actions)
            if tubes is not None:
                one['tube'] = dict(times=self._tube_times(sample, time), boxes=tubes[place].clamp(0, 1).tolist())
            predictions.append(one)
        return sorted(predictions, key=lambda one: -one['actions'][0]['score'])

    def _tube_times(self, sample, time):
        step = self.sampling.seconds / self.sampling.clip_len
        return [time + (place - sample.key_frame) * step for place in range(self.sampling.clip_len)]


def _item(path, time):
    """An item as the dataset gives it to its pipeline, with the video as its own film."""
    return dict(filename=path, video_id=path, timestamp=time, offset_seconds=0, start_index=0, modality='RGB')


def _class_names(classes, num_classes):
    """Names of the columns of the scores; '' for those that are not reported."""
    if classes is None:
        return [str(index) for index in range(num_classes)]
    if isinstance(classes, str) and classes.endswith('.pbtxt'):
        names = read_action_names(classes)
        if max(names) >= num_classes:
            raise ValueError(f'{classes} has an action {max(names)}, but the model only those up to {num_classes - 1}')
        return [names.get(index, '') for index in range(num_classes)]
    # The dataset names all columns, of which the first is not used.
    if not isinstance(classes, str) and len(classes) == num_classes and not classes[0]:
        return list(classes)
    return ['', *class_names(classes, num_classes - 1)]


def _drawn(found):
    lines = tuple(f'{action["label"]} {action["score"]:.2f}' for action in found['actions'])
    colour, score = class_colour(found['actions'][0]['index']), found['actions'][0]['score']
    if 'tube' not in found:
        return DrawnBox(np.array(found['box']), lines, colour, score=score)
    tube = found['tube']
    return DrawnBox(np.array(tube['boxes']), lines, colour, times=np.array(tube['times']), score=score)
