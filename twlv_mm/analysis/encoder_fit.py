"""A task's config, changed so that it evaluates another encoder than the one it was written for."""

import os
from typing import NamedTuple

from mmengine.config import Config

from twlv_mm.encoders import backbone_of, file_sha256, get_architecture
from twlv_mm.engine import follow_encoder


class Encoder(NamedTuple):
    """An encoder to evaluate.

    Attributes:
        label (str): What it is called in reports.
        arch (str): A name from :func:`twlv_mm.list_models`.
        overrides (dict): What is different from that architecture.
        weights (str | None): Its checkpoint.
        sha256 (str | None): Hash of that file.
    """

    label: str
    arch: str
    overrides: dict
    weights: str | None
    sha256: str | None

    @property
    def architecture(self):
        """Architecture: its row of the table, overrides applied."""
        return get_architecture(self.arch, **self.overrides)

    @property
    def backbone(self):
        """dict: its config, without weights."""
        return dict(type=self.architecture.backbone, arch=self.arch, **self.overrides)


def find_encoder(source, weights=None, label=None):
    """The encoder that a command names.

    Args:
        source (str): A name from :func:`twlv_mm.list_models`, or a config, whose ``model.backbone`` is taken.
        weights (str | Path, optional): Its checkpoint; random without.
        label (str, optional): What to call it; by default its name.

    Returns:
        Encoder: the encoder.

    Raises:
        FileNotFoundError: if there is no such config or checkpoint.
        ValueError: if there is no such encoder, the config has none, or the label cannot be a name in commands.
    """
    overrides = {}
    name = source
    if source.endswith('.py'):
        name, overrides = backbone_of(Config.fromfile(source), source)
    get_architecture(name, **overrides)
    label = label or name
    if not {'/', '='}.isdisjoint(label):
        raise ValueError(
            f'the label {label} has a slash or an equals sign, but becomes the name of a folder and NAME of '
            'NAME=FOLDER: choose another'
        )
    if weights is not None:
        weights = os.fspath(weights)  # a config that is written down has text
        if not os.path.isfile(weights):
            raise FileNotFoundError(f'there is no checkpoint {weights}')
    return Encoder(label, name, overrides, weights, None if weights is None else file_sha256(weights))


def fit_config(cfg, encoder):
    """Change a task's config for an encoder, as :func:`twlv_mm.engine.follow_encoder` does.

    An encoder with a pooling of its own has its linear probe on what that gives (docs/recognition.md). Embeddings stay
    where the config has them.

    Args:
        cfg (Config): Of a task; changed in place.
        encoder (Encoder): The encoder.
    """
    arch, model = encoder.architecture, cfg.model
    cfg.default_hooks.results.label = encoder.label
    if 'backbone' not in model:  # on embeddings
        if 'in_channels' in model:
            model.in_channels = arch.embedding_dims
        return
    model.backbone.update(allow_random=encoder.weights is None, **encoder.overrides)
    if 'cls_head' in model and 'num_heads' not in model.cls_head and arch.pooling != 'mean':
        model.update(type='twlv_mm.ProbeRecognizer', features='embed')
        model.cls_head.spatial_type = None
    cfg.encoder_weights = encoder.weights
    cfg.encoder = encoder.arch
    follow_encoder(cfg)
