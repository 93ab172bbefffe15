"""The encoder that is evaluated on all tasks."""

import os
from functools import partial
from typing import NamedTuple

from twlv_mm.encoders import encoder_in, is_config, read_config, spec_of, weights_sha256
from twlv_mm.encoders.official import official_weights
from twlv_mm.encoders.sources import own_weights
from twlv_mm.engine.config_reading import read_with_variables


class Encoder(NamedTuple):
    """An encoder to evaluate.

    Attributes:
        label (str): What it is called in reports.
        source (str): SOURCE, as for :func:`twlv_mm.describe`.
        overrides (dict): What is different from its own numbers.
        weights (str | None): Its checkpoint.
        sha256 (str | None): Hash of that, or of the weights that the source itself has.
    """

    label: str
    source: str
    overrides: dict
    weights: str | None
    sha256: str | None

    @property
    def spec(self):
        """dict: its description, overrides applied."""
        return spec_of(self.source, self.overrides)

    def read(self, config, variables=None, **environment):
        """Parse a config for this encoder.

        Args:
            config (str | Path): A config that asks for its encoder.
            variables (dict, optional): Variables of it to set.
            **environment: Further variables that it reads from the environment.

        Returns:
            Config: whose results have the label.
        """
        overrides = dict(self.overrides, allow_random=self.weights is None)
        given = dict(encoder=self.source, encoder_weights=self.weights or '', encoder_overrides=overrides)
        read = partial(read_with_variables, options=variables) if variables else read_config
        cfg = read(config, **given, **environment)
        cfg.default_hooks.results.label = self.label
        return cfg


def find_encoder(source, weights=None, label=None):
    """The encoder that a command names.

    Args:
        source (str): SOURCE, or a config, whose encoder is taken.
        weights (str | Path, optional): Its checkpoint; the source's own, if it has one, without.
        label (str, optional): What to call it; by default its name.

    Returns:
        Encoder: the encoder.

    Raises:
        FileNotFoundError: if there is no such config or checkpoint.
        ValueError: if there is no such encoder, the config has none, or the label cannot be a name in commands.
    """
    overrides = {}
    if is_config(source):
        source, overrides = encoder_in(read_config(source), source)
    label = label or spec_of(source, overrides)['name']
    if not {'/', '='}.isdisjoint(label):
        raise ValueError(
            f'the label {label} has a slash or an equals sign, but becomes the name of a folder and NAME of '
            'NAME=FOLDER: choose another'
        )
    if weights is not None:
        # A config that is written down has text.
        weights = official_weights(source) if weights == 'official' else os.fspath(weights)
        if not os.path.exists(weights):
            raise FileNotFoundError(f'there is no checkpoint {weights}')
    hashed = own_weights(source, **overrides) if weights is None else weights
    return Encoder(label, source, overrides, weights, None if hashed is None else weights_sha256(hashed))
