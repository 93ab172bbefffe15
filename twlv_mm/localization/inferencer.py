"""Videos in, actions with their times and scores out."""

import os

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from twlv_mm.encoders import read_config
from twlv_mm.inference import SEGMENT_COLUMNS, VideoEmbedder, load_model, made_with, read_strip, segment_rows
from twlv_mm.records import class_names, read_class_names
from twlv_mm.visualization import draw_segment_video, draw_timeline

from .actionformer import ActionFormer


class LocalizationInferencer:
    """Find when which action happens in a video: embed its clips as the config says, and run the model on them.

    ::

        inferencer = LocalizationInferencer('my_config.py', 'epoch_47.pth', encoder_weights='encoder.pth')
        result = inferencer('match.mp4')
        result['predictions'][0]  # dict(label='serving', index=7, start=12.3, end=14.1, score=0.81)
        inferencer.draw('match.mp4', result, 'match.png')

    Args:
        config (str | Path | Config): Config of an ActionFormer, with the variable ``extraction`` as for
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
        ValueError: if the config has no ``extraction``, not of several clips, or another model than ActionFormer; if
            the encoder has no weights and may not be random; if the checkpoint was trained on other embeddings; if a
            checkpoint cannot be read; or if the names are not one for each class.
    """

    columns = SEGMENT_COLUMNS
    rows = staticmethod(segment_rows)

    def __init__(self, config, checkpoint, device=None, classes=None, encoder_weights=None, decoder=None):
        cfg = config if isinstance(config, Config) else read_config(config)
        self.model, meta = load_model(cfg, checkpoint, device)
        if not isinstance(self.model, ActionFormer):
            raise ValueError(
                f'the model of {cfg.filename} is a {type(self.model).__name__}: give the config of an ActionFormer, '
                'whose segments have classes'
            )
        self.embedder = VideoEmbedder(cfg, encoder_weights, next(self.model.parameters()).device, decoder)
        trained_on = meta.get('dataset_meta') or {}
        self.embedder.check(trained_on, checkpoint)
        names, num_classes = trained_on.get('classes') if classes is None else classes, self.model.num_classes
        if self.model.class_agnostic:
            names = names and read_class_names(names)
            num_classes = self.model.decoder.external_scores(names).num_classes
        self.classes = class_names(names, num_classes)
        self.pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
        self._made_with = dict(model=dict(type=type(self.model).__name__), **made_with(cfg, checkpoint))

    @torch.no_grad()
    def __call__(self, path, top_k=20, min_score=0.05):
        """Find actions.

        Args:
            path (str): A video. Its name without suffix is its id in a file of external scores.
            top_k (int): Actions at most.
            min_score (float): Their least score, from 0 to 1.

        Returns:
            dict: for json: video, duration_seconds, predictions (a dict of label, index, start, end (seconds) and score
            for each action, best first), model (type), config, checkpoint (path, sha256), versions, encoder (name,
            weights_sha256, clip_seconds, stride_seconds), decoder (name, version).

        Raises:
            FileNotFoundError: if there is no such video.
            ReadFault: if it cannot be read to its end.
            ValueError: if ``top_k`` is less than 1 or ``min_score`` not from 0 to 1, if the model gives numbers that
                are not finite, or the external classifier has no scores of the video.
        """
        if top_k < 1:
            raise ValueError(f'top_k is {top_k}; it has to be 1 or more')
        if not 0 <= min_score <= 1:
            raise ValueError(f'min_score is {min_score}; it has to be from 0 to 1')
        path = os.fspath(path)
        video, embedded_with = self.embedder.embed(path)
        item = dict(video, segments=np.zeros((0, 2), np.float32), labels=np.zeros(0, np.int64))
        found = self.model.test_step(pseudo_collate([self.pipeline(item)]))[0].pred_instances
        found = found[found.scores >= min_score][:top_k]
        predictions = [
            dict(label=self.classes[index], index=index, start=start, end=end, score=score)
            for index, (start, end), score in zip(
                found.labels.tolist(), found.segments.tolist(), found.scores.tolist(), strict=True
            )
        ]
        return dict(
            video=path,
            duration_seconds=round(video['duration'], 3),
            predictions=predictions,
            **self._made_with,
            **embedded_with,
        )

    def draw(self, path, result, out_png):
        """Draw when the actions of a video are, below frames of it.

        Args:
            path (str): The video.
            result (dict): What calling the inferencer gave.
            out_png (str): Where to.

        Raises:
            FileNotFoundError: if there is no such video.
            ReadFault: if it cannot be read.
        """
        draw_timeline(
            out_png,
            result['duration_seconds'],
            result['predictions'],
            None,
            *read_strip(path),
            classes=self.classes,
            title=os.path.basename(path),
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
        draw_segment_video(path, result['predictions'], result['duration_seconds'], out)
