"""Videos in, the action of every moment out."""

import os

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from twlv_mm.encoders import read_config
from twlv_mm.inference import SEGMENT_COLUMNS, VideoEmbedder, load_model, made_with, read_strip, segment_rows
from twlv_mm.records import class_names
from twlv_mm.visualization import draw_label_bars, draw_segment_video

from .alignment import steps_to_frames
from .asformer import ASFormer
from .segments import UNLABELLED, segments_of

BACKGROUND = 'background'  # drawn in grey


class SegmentationInferencer:
    """Say what happens at every moment of a video: embed its clips as the config says, and run the model on them.

    ::

        inferencer = SegmentationInferencer('my_config.py', 'epoch_120.pth', encoder_weights='encoder.pth')
        result = inferencer('salad.mp4')
        result['predictions'][1]  # dict(label='cut_tomato', index=3, start=12.3, end=31.7, score=0.81)
        result['frames']  # [17, 17, …, 3, 3, …]: an index for every 1 / fps seconds
        inferencer.draw('salad.mp4', result, 'salad.png')

    Args:
        config (str | Path | Config): Config of an ASFormer, with the variable ``extraction`` as for
            :class:`~twlv_mm.inference.VideoEmbedder`.
        checkpoint (str | Path): What a training run of that config has written.
        device (str, optional): Where to compute; a GPU if there is one.
        classes (str | Sequence[str], optional): The names of the classes, or a file of them, one a line. Without it,
            those that the checkpoint was trained on, or else numbers.
        encoder_weights (str, optional): Checkpoint of the encoder; the config's if None.
        decoder (str, optional): As for :func:`twlv_mm.video.open_video`; the config's if None.

    Raises:
        FileNotFoundError: if the config, the checkpoint, the encoder's weights or the file of names is not there.
        CheckpointError: if the checkpoint is another model's.
        ValueError: if the config has no ``extraction``, not of several clips, another model than ASFormer, or tests on
            data without ``fps``; if the encoder has no weights and may not be random; if the checkpoint was trained on
            other embeddings; if a checkpoint cannot be read; or if the names are not one for each class.
    """

    columns = SEGMENT_COLUMNS
    rows = staticmethod(segment_rows)

    def __init__(self, config, checkpoint, device=None, classes=None, encoder_weights=None, decoder=None):
        cfg = config if isinstance(config, Config) else read_config(config)
        self.model, meta = load_model(cfg, checkpoint, device)
        if not isinstance(self.model, ASFormer):
            raise ValueError(
                f'the model of {cfg.filename} is a {type(self.model).__name__}: give the config of an ASFormer, which '
                'names the action of every step'
            )
        dataset = cfg.test_dataloader.dataset
        if dataset.get('fps') is None:
            raise ValueError(
                f'test_dataloader.dataset of {cfg.filename} has no fps, the labels a second that the model gives: give '
                'the config of a run on a SegmentationDataset'
            )
        self.fps = float(dataset.fps)
        self.embedder = VideoEmbedder(cfg, encoder_weights, next(self.model.parameters()).device, decoder)
        trained_on = meta.get('dataset_meta') or {}
        self.embedder.check(trained_on, checkpoint)
        self.classes = class_names(trained_on.get('classes') if classes is None else classes, self.model.num_classes)
        self.pipeline = Compose(dataset.pipeline)
        self._made_with = dict(model=dict(type=type(self.model).__name__), **made_with(cfg, checkpoint))

    @torch.no_grad()
    def __call__(self, path):
        """Segment a video.

        Args:
            path (str): A video.

        Returns:
            dict: for json: video, duration_seconds, fps (of the labels), predictions (a dict of label, index, start,
            end (seconds) and score, the mean probability of its steps, for each segment in order of time; they cover
            the video, background included), frames (list of the index of each of the duration * fps labels, at least
            one), model (type), config, checkpoint (path, sha256), versions, encoder (name, weights_sha256,
            clip_seconds, stride_seconds), decoder (name, version).

        Raises:
            FileNotFoundError: if there is no such video.
            ReadFault: if it cannot be read to its end.
            ValueError: if the model gives numbers that are not finite.
        """
        path = os.fspath(path)
        video, embedded_with = self.embedder.embed(path)
        duration = video['duration']
        num_frames = max(1, round(duration * self.fps))
        labels = np.full(num_frames, UNLABELLED, np.int64)
        item = dict(video, fps=self.fps, num_frames=num_frames, frame_labels=labels)
        sample = self.model.test_step(pseudo_collate([self.pipeline(item)]))[0]
        steps, scores = sample.pred_steps.cpu().numpy(), sample.pred_scores.cpu().numpy()
        return dict(
            video=path,
            duration_seconds=round(duration, 3),
            fps=self.fps,
            predictions=self._segments(steps, scores, sample.subsampling / self.fps, duration),
            frames=steps_to_frames(steps, sample.subsampling, num_frames).tolist(),
            **self._made_with,
            **embedded_with,
        )

    def draw(self, path, result, out_png):
        """Draw the segments of a video as coloured bars, below frames of it.

        Args:
            path (str): The video.
            result (dict): What calling the inferencer gave.
            out_png (str): Where to.

        Raises:
            FileNotFoundError: if there is no such video.
            ReadFault: if it cannot be read.
        """
        segments = np.array([[one[name] for name in ('index', 'start', 'end')] for one in result['predictions']])
        frames, frame_times = read_strip(path)
        draw_label_bars(
            out_png,
            [('prediction', segments)],
            result['duration_seconds'],
            self.classes,
            title=os.path.basename(path),
            background=self._background(),
            frames=frames,
            frame_times=frame_times,
        )

    def draw_video(self, path, result, out):
        """Draw what happens on the video itself, as text and as a bar beneath it.

        Args:
            path (str): The video.
            result (dict): What calling the inferencer gave.
            out (str): An .mp4 file.

        Raises:
            FileNotFoundError: if there is no such video.
            VideoError: if it cannot be read.
        """
        draw_segment_video(path, result['predictions'], result['duration_seconds'], out, background=self._background())

    def _background(self):
        return [index for index, name in enumerate(self.classes) if name == BACKGROUND]

    def _segments(self, steps, scores, step_seconds, duration):
        indices, firsts, lasts = segments_of(steps).T
        starts = firsts * step_seconds
        ends = np.append(starts[1:], duration)  # the last step may be cut, or the video end between two labels
        return [
            dict(label=self.classes[index], index=index, start=start, end=end, score=float(scores[first:last].mean()))
            for index, start, end, first, last in zip(
                *(column.tolist() for column in (indices, starts, ends, firsts, lasts)), strict=True
            )
        ]
