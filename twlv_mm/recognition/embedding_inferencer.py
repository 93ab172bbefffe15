"""Classify videos with a classifier of embeddings: a linear probe or kNN."""

import os
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from twlv_mm.embeddings import bundled_weights, named_source, sampling_options
from twlv_mm.encoders import describe, read_config
from twlv_mm.inference import VideoEmbedder, load_model, made_with
from twlv_mm.records import class_names, provenance

from .inferencer import LabelInferencer


class EmbeddingInferencer(LabelInferencer):
    """Recognise the action of a video, embedded with the settings of the embeddings that the classifier was trained on.

    ::

        inferencer = EmbeddingInferencer('my_knn.py', 'embeddings/my/uniform/train', encoder_weights='encoder.pth')
        inferencer('match.mp4')['predictions'][0]  # dict(label='serving', index=7, score=0.93)

    Args:
        config (str | Path | Config): Config of an EmbeddingLinearProbe or EmbeddingKNN.
        checkpoint (str | Path): Checkpoint of a trained probe; for kNN, the folder of the memory bank's embeddings,
            ``<out>/<sampling>/<split>``.
        device (str, optional): Where to compute; a GPU if there is one.
        classes (str | Sequence[str], optional): Class names, or a file with one a line. By default, the config's
            ``class_names``, those of the training list or of the bank, else numbers.
        encoder_weights (str, optional): Checkpoint of the encoder; by default the config's, or the package's own.
        decoder (str, optional): As for :func:`twlv_mm.video.open_video`.
    """

    def __init__(self, config, checkpoint, device=None, classes=None, encoder_weights=None, decoder=None):
        cfg = config if isinstance(config, Config) else read_config(config)
        device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        if cfg.model.type.endswith('EmbeddingKNN'):
            self.model = _with_bank(cfg, checkpoint, device)
            trained_on = self.model.bank.metainfo
            bank = dict(folder=os.fspath(checkpoint), vectors=len(self.model.bank.vectors), k=self.model.neighbours)
            made = dict(config=cfg.filename, bank=bank, versions=provenance.versions())
        else:
            self.model, meta = load_model(cfg, checkpoint, device)
            trained_on = meta.get('dataset_meta') or {}
            made = made_with(cfg, checkpoint)
        settings = trained_on.get('settings') or {}
        extraction = _extraction(cfg, settings, encoder_weights, checkpoint)
        self.embedder = VideoEmbedder(cfg, encoder_weights, device, decoder, extraction)
        self.embedder.check(trained_on, checkpoint)
        self._whole = cfg.test_dataloader.dataset.scope == 'video'
        self._device = device
        names = cfg.get('class_names', trained_on.get('classes')) if classes is None else classes
        self.classes = class_names(names, self.model.num_classes)
        self._made_with = dict(model=dict(type=type(self.model).__name__, encoder=settings['model']), **made)

    def scores(self, path):
        video, made_with = self.embedder.vectors(path)
        vectors = torch.from_numpy(video.clips['forward']).to(self._device)
        if self._whole:
            vectors = vectors.mean(dim=0, keepdim=True)
        count, nothing = torch.tensor([len(vectors)], device=self._device), torch.zeros(1, dtype=torch.int64)
        (found,) = self.model.predict(vectors, count, nothing)
        return found['pred_score'], float(video.duration), made_with


def _with_bank(cfg, folder, device):
    """The kNN model of a config, with another folder as its bank."""
    if not Path(folder).is_dir():
        raise FileNotFoundError(
            f'folder {folder} does not exist: kNN has no checkpoint; give the folder of the memory bank, '
            '<out>/<sampling>/<split>, instead'
        )
    init_default_scope(cfg.get('default_scope', 'mmaction'))
    bank = dict(cfg.model.bank, folder=os.path.abspath(folder))
    return MODELS.build(dict(cfg.model, bank=bank)).to(device).eval()


def _extraction(cfg, settings, weights, source):
    """The settings of a classifier's embeddings, in the form of a config's ``extraction``."""
    name = settings.get('source') or settings.get('model')
    same = name is not None and cfg.get('encoder') == name
    if not same:
        name = named_source(settings, source)
    overrides = dict(cfg.get('encoder_overrides') or {}) if same else {}
    weights = weights or (cfg.get('encoder_weights') if same else None) or bundled_weights(name, settings)
    encoder = dict(overrides, source=name, weights=weights)
    if settings.get('weights_sha256') is None:
        encoder['allow_random'] = True  # the embeddings come from a random encoder
    pooling = settings.get('pooling')
    if pooling == describe(name, **overrides).pooling:
        pooling = None  # the architecture's own, which may project
    return dict(encoder=encoder, pooling=pooling, **sampling_options(settings))
