"""Finds the action of every moment of video files."""

import os

import numpy as np
import torch

from twlv_mm.inference import SegmentInferencer, read_strip
from twlv_mm.visualization import draw_label_bars

from .alignment import steps_to_frames
from .asformer import ASFormer
from .segments import UNLABELLED, segments_of

BACKGROUND = 'background'  # drawn in grey


class SegmentationInferencer(SegmentInferencer):
    """Divide a video into segments of one action each with an ASFormer.

    ::

        inferencer = SegmentationInferencer('my_config.py', 'epoch_120.pth', encoder_weights='encoder.pth')
        result = inferencer('salad.mp4')
        result['predictions'][1]  # dict(label='cut_tomato', index=3, start=12.3, end=31.7, score=0.81)
        result['frames']  # [17, 17, …, 3, 3, …]: an index for every 1 / fps seconds
        inferencer.draw('salad.mp4', result, 'salad.png')

    Args: see :class:`~twlv_mm.inference.SegmentInferencer`.
    """

    model_class = ASFormer

    def _check_config(self, cfg):
        if self.dataset.get('fps') is None:
            raise ValueError(
                f'test_dataloader.dataset of {cfg.filename} has no fps, the labels per second: give the config of a '
                'run on a SegmentationDataset'
            )
        self.fps = float(self.dataset.fps)

    @torch.no_grad()
    def __call__(self, path):
        """Segment a video; an unreadable one raises FileNotFoundError or ReadFault.

        Returns:
            dict: for json: video, duration_seconds, fps (of the labels), predictions (a dict of label, index, start,
            end (seconds) and score, the mean probability of its steps, for each segment in order of time; they cover
            the video, background included), frames (list of the index of each of the duration * fps labels, at least
            one), and model, config, checkpoint, versions, encoder and decoder as for localization.
        """
        video, embedded_with = self.embedder.embed(os.fspath(path))
        duration = video['duration']
        num_frames = max(1, round(duration * self.fps))
        labels = np.full(num_frames, UNLABELLED, np.int64)
        sample = self._predict(dict(video, fps=self.fps, num_frames=num_frames, frame_labels=labels))
        steps, scores = sample.pred_steps.cpu().numpy(), sample.pred_scores.cpu().numpy()
        return self._result(
            path,
            duration,
            embedded_with,
            fps=self.fps,
            predictions=self._segments(steps, scores, sample.subsampling / self.fps, duration),
            frames=steps_to_frames(steps, sample.subsampling, num_frames).tolist(),
        )

    def draw(self, path, result, out_png):
        """Draw the segments of a video as coloured bars, below frames of it."""
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
