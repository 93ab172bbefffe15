"""The encoder to evaluate, as a command line names it."""

import os
from functools import partial
from typing import NamedTuple

from twlv_mm.encoders import encoder_in, is_config, read_config, spec_of, weights_sha256
from twlv_mm.encoders.published_weights import official_weights
from twlv_mm.encoders.sources import own_weights
from twlv_mm.engine.config_reading import read_with_variables


class EvaluatedEncoder(NamedTuple):
    """An encoder to evaluate."""

    label: str  # name in reports
    source: str  # SOURCE, as for :func:`twlv_mm.describe`
    overrides: dict  # overrides of the source's own settings
    weights: str | None  # checkpoint
    sha256: str | None  # hash of the checkpoint, or of the weights that come with the source

    @property
    def spec(self):
        """dict: its description, overrides applied."""
        return spec_of(self.source, self.overrides)

    def read(self, config, variables=None, **environment):
        """Parse a config for this encoder, with the given variables and environment variables."""
        overrides = dict(self.overrides, allow_random=self.weights is None)
        given = dict(encoder=self.source, encoder_weights=self.weights or '', encoder_overrides=overrides)
        read = partial(read_with_variables, options=variables) if variables else read_config
        cfg = read(config, **given, **environment)
        cfg.default_hooks.results.label = self.label
        return cfg


def find_encoder(source, weights=None, label=None):
    """Resolve the encoder of a command line.

    Args:
        source (str): SOURCE, or a config that has an encoder.
        weights (str | Path, optional): Its checkpoint; by default the source's own weights, if any.
        label (str, optional): Its name in reports; by default the encoder's name.

    Raises:
        FileNotFoundError: if the config or checkpoint does not exist.
        ValueError: if the encoder is unknown, or the label cannot name a folder.
    """
    overrides = {}
    if is_config(source):
        source, overrides = encoder_in(read_config(source), source)
    label = label or spec_of(source, overrides)['name']
    if not {'/', '='}.isdisjoint(label):
        raise ValueError(
            f'the label {label} has a slash or an equals sign, but it names a folder and stands in NAME=FOLDER '
            'arguments: choose another'
        )
    if weights is not None:
        # As text: it is written into configs.
        weights = official_weights(source) if weights == 'official' else os.fspath(weights)
        if not os.path.exists(weights):
            raise FileNotFoundError(f'checkpoint {weights} does not exist')
    hashed = own_weights(source, **overrides) if weights is None else weights
    return EvaluatedEncoder(label, source, overrides, weights, None if hashed is None else weights_sha256(hashed))
