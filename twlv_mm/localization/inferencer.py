"""Finds actions with their times and scores in video files."""

import os

import numpy as np
import torch

from twlv_mm.inference import SegmentInferencer, read_strip
from twlv_mm.records import class_names, read_class_names
from twlv_mm.visualization import draw_timeline

from .actionformer import ActionFormer


class LocalizationInferencer(SegmentInferencer):
    """Find the actions in a video with an ActionFormer.

    ::

        inferencer = LocalizationInferencer('my_config.py', 'epoch_47.pth', encoder_weights='encoder.pth')
        result = inferencer('match.mp4')
        result['predictions'][0]  # dict(label='serving', index=7, start=12.3, end=14.1, score=0.81)
        inferencer.draw('match.mp4', result, 'match.png')

    Args: see :class:`~twlv_mm.inference.SegmentInferencer`.
    """

    model_class = ActionFormer

    @torch.no_grad()
    def __call__(self, path, top_k=20, min_score=0.05):
        """Find at most ``top_k`` actions with a score of at least ``min_score``, from 0 to 1.

        The name of the video without suffix is its id in a file of external scores. An unreadable video raises
        FileNotFoundError or ReadFault.

        Returns:
            dict: for json: video, duration_seconds, predictions (a dict of label, index, start, end (seconds) and score
            for each action, best first), model (type), config, checkpoint (path, sha256), versions, encoder (name,
            weights_sha256, clip_seconds, stride_seconds), decoder (name, version).
        """
        if top_k < 1:
            raise ValueError(f'top_k is {top_k}; it must be 1 or more')
        if not 0 <= min_score <= 1:
            raise ValueError(f'min_score is {min_score}; it must be from 0 to 1')
        video, embedded_with = self.embedder.embed(os.fspath(path))
        item = dict(video, segments=np.zeros((0, 2), np.float32), labels=np.zeros(0, np.int64))
        found = self._predict(item).pred_instances
        found = found[found.scores >= min_score][:top_k]
        predictions = [
            dict(label=self.classes[index], index=index, start=start, end=end, score=score)
            for index, (start, end), score in zip(
                found.labels.tolist(), found.segments.tolist(), found.scores.tolist(), strict=True
            )
        ]
        return self._result(path, video['duration'], embedded_with, predictions=predictions)

    def draw(self, path, result, out_png):
        """Draw the actions of a video as a timeline, below frames of it."""
        draw_timeline(
            out_png,
            result['duration_seconds'],
            result['predictions'],
            None,
            *read_strip(path),
            classes=self.classes,
            title=os.path.basename(path),
        )

    def _class_names(self, names):
        if not self.model.class_agnostic:
            return super()._class_names(names)
        names = names and read_class_names(names)
        return class_names(names, self.model.decoder.external_scores(names).num_classes)
