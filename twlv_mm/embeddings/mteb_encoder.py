"""An encoder as a model of mteb, for the Massive Video Embedding Benchmark."""

import os
import tempfile
from pathlib import Path

import numpy as np
from datasets import Video
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta, ScoringFunction
from tqdm import tqdm

from twlv_mm.video import VideoError


class VideoOnlyModel(AbsEncoder):
    """An mteb model for video-only tasks, with this project's reading and sampling of videos.

    Args:
        extractor (Extractor): Encoder and sampling.

    Attributes:
        mteb_model_meta (ModelMeta): mteb stores results by its name, ``revision`` (hash of the weights) and
            ``experiment_kwargs`` (sampling, pooling, precision).
    """

    def __init__(self, extractor):
        self.extractor, self.model = extractor, extractor.model
        spec, settings = self.model.spec, extractor.settings
        name, sha256 = settings.pop('model'), settings.pop('weights_sha256')
        self.mteb_model_meta = ModelMeta.create_empty(
            dict(
                name=f'twlv_mm/{name}',
                revision=sha256 or 'random',
                modalities=['video'],
                embed_dim=spec.embedding_dims if extractor.pooling is None else spec.embed_dims,
                n_parameters=sum(parameter.numel() for parameter in self.model.parameters()),
                framework=['PyTorch'],
                similarity_fn_name=ScoringFunction.COSINE,
                use_instructions=False,
                experiment_kwargs=settings,
            )
        )

    def encode(self, inputs, *, show_progress_bar=True, **kwargs):
        """(videos, D) float32 vectors of the videos in mteb's DataLoader, from its column ``video``."""
        rows = inputs.dataset.select_columns('video').cast_column('video', Video(decode=False))
        numbers = tqdm(range(len(rows)), 'Embedding videos', disable=not show_progress_bar)
        return np.stack([self._embed(rows[number]['video'], number) for number in numbers])

    def _embed(self, video, number):
        with tempfile.TemporaryDirectory() as folder:
            path = video['path']
            if video['bytes'] is not None:
                path = os.path.join(folder, f'video{Path(path or "").suffix}')
                Path(path).write_bytes(video['bytes'])
            try:
                return self.extractor(path)[0][-1].vector
            except (VideoError, FileNotFoundError) as error:
                raise VideoError(f'video {number} of the dataset: {error}') from error
