"""Base class of inferencers that find segments of a video from embeddings of its clips."""

import os

from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from twlv_mm.encoders import read_config
from twlv_mm.records import class_names
from twlv_mm.visualization import draw_segment_video

from .model import load_model, made_with
from .video_embedder import VideoEmbedder


class SegmentInferencer:
    """Embed a video's clips as the config says, and run a trained model on them.

    Args:
        config (str | Path | Config): Config with a model of ``model_class`` and the variable ``extraction``, see
            :class:`VideoEmbedder`.
        checkpoint (str | Path): From a training run of that config; ValueError if that was on other embeddings.
        device (str, optional): Device to compute on; a GPU if there is one.
        classes (str | Sequence[str], optional): Class names, or a file with one per line. By default those that the
            checkpoint was trained on, or else numbers.
        encoder_weights, decoder (str, optional): Override the config's.
    """

    columns = ('label', 'index', 'start', 'end', 'score')
    model_class = None

    def __init__(self, config, checkpoint, device=None, classes=None, encoder_weights=None, decoder=None):
        cfg = config if isinstance(config, Config) else read_config(config)
        self.model, meta = load_model(cfg, checkpoint, device)
        if not isinstance(self.model, self.model_class):
            raise ValueError(
                f'the model of {cfg.filename} is a {type(self.model).__name__}: give the config of an '
                f'{self.model_class.__name__}'
            )
        self.dataset = cfg.test_dataloader.dataset
        self._check_config(cfg)
        self.embedder = VideoEmbedder(cfg, encoder_weights, next(self.model.parameters()).device, decoder)
        trained_on = meta.get('dataset_meta') or {}
        self.embedder.check(trained_on, checkpoint)
        self.classes = self._class_names(trained_on.get('classes') if classes is None else classes)
        self.pipeline = Compose(self.dataset.pipeline)
        self._made_with = dict(model=dict(type=type(self.model).__name__), **made_with(cfg, checkpoint))

    @staticmethod
    def rows(result):
        """The values of ``columns`` for each prediction, for summary.csv."""
        return [
            (one['label'], one['index'], f'{one["start"]:.3f}', f'{one["end"]:.3f}', f'{one["score"]:.6f}')
            for one in result['predictions']
        ]

    def draw_video(self, path, result, out):
        """Draw the segments onto the video at ``path``, as text and as a bar below it; ``out`` is an .mp4 file."""
        background = self._background()
        draw_segment_video(path, result['predictions'], result['duration_seconds'], out, background=background)

    def _check_config(self, cfg):
        pass

    def _class_names(self, names):
        return class_names(names, self.model.num_classes)

    def _background(self):
        return []

    def _predict(self, item):
        return self.model.test_step(pseudo_collate([self.pipeline(item)]))[0]

    def _result(self, path, duration, embedded_with, **found):
        start = dict(video=os.fspath(path), duration_seconds=round(duration, 3))
        return {**start, **found, **self._made_with, **embedded_with}
