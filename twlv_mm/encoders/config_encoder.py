"""The encoder of a config, which is resolved while the config is parsed."""

import ast
import logging
import os
import re
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from threading import Lock

from mmengine.config import Config
from mmengine.logging import print_log

from twlv_mm.compat.config_variables import files_being_parsed

from .published_weights import official_weights
from .sources import USE, describe

# Variable of a config -> environment variable, which takes precedence.
VARIABLES = dict(encoder='ENCODER', encoder_weights='ENCODER_WEIGHTS', encoder_overrides='ENCODER_OVERRIDES')
DEFAULTS = 'encoder_defaults'  # a config's overrides for certain encoders: {SOURCE: overrides}
# Endings of embeddings folders of earlier versions, instead of the encoder's name.
OLD_ENDINGS = dict(twlv_base='', twlv_large='_large', squeezetime_r50='_squeezetime')
_lock, _parsed = Lock(), []


class EncoderError(ValueError):
    """A config contradicts its encoder, or names none that exists."""


def parsed_encoder(default):
    """The encoder of the config being parsed; called by ``configs/_base_/encoder.py``.

    ENCODER, ENCODER_WEIGHTS and ENCODER_OVERRIDES (a dict) in the environment take precedence over lines such as
    ``encoder = 'umt_large'`` in the config, and these over its bases'. Overrides from all of them are merged.
    ``encoder_defaults = dict(umt_large=dict(num_frames=4))`` gives overrides for one encoder; ``weights`` in it are
    used if no others are given.

    Args:
        default (str): SOURCE if nothing else gives one.

    Returns:
        tuple[str, str | None, dict, dict]: SOURCE, path of the weights, overrides, and :func:`spec_of`.

    Raises:
        EncoderError: if the encoder is unknown, or it has no such overrides, or the config was read too early.
    """
    values = {'encoder': default, 'encoder_weights': None, 'encoder_overrides': {}, DEFAULTS: {}}
    if not files_being_parsed():
        raise EncoderError(
            'twlv_mm was not imported before the config was read, so its variables are not known: use tools/train.py '
            'and tools/test.py of twlv_mm (or `twlv train`, `twlv test`), which take the arguments of mmaction2, or '
            'import twlv_mm before Config.fromfile'
        )
    files = [file.known for file in reversed(files_being_parsed())]
    for known in [*files, _from_environment()]:
        found = {key: known[key] for key in (*VARIABLES, DEFAULTS) if key in known}
        found['encoder_overrides'] = values['encoder_overrides'] | found.get('encoder_overrides', {})
        values.update(found)
    source, weights, overrides, defaults = values.values()
    overrides = defaults.get(source, {}) | overrides
    own = overrides.pop('weights', None)
    if weights is None and own is not None and not overrides.get('allow_random'):
        weights = own
        _warn_of_shipped_weights(source)
    overrides = {key: value for key, value in overrides.items() if value is not None}
    if weights == 'official':
        try:
            weights = official_weights(source)
        except FileNotFoundError as error:
            raise EncoderError(str(error)) from error
    _parsed[:] = [dict(encoder=source, encoder_weights=weights, encoder_overrides=overrides)]
    return source, weights, overrides, spec_of(source, overrides)


@cache
def _warn_of_shipped_weights(source):
    print_log(
        f'encoder_weights is not set: {source} uses the weights of this package, which were trained on rendered '
        'shapes only. For real videos set encoder and encoder_weights (docs/encoders.md).',
        'current',
        logging.WARNING,
    )


def spec_of(source, overrides):
    """The spec of an encoder as a dict, which a config can hold, with tubelet_size and patch_size.

    Args:
        source (str): SOURCE.
        overrides (dict): As for :func:`twlv_mm.describe`; None values are dropped.
    """
    try:
        spec = describe(source, **{key: value for key, value in overrides.items() if value is not None})
    except (ValueError, TypeError, ImportError, OSError) as error:
        raise EncoderError(f'encoder={source!r}: {error}') from error
    return dict(asdict(spec), tubelet_size=spec.tubelet_size, patch_size=spec.patch_size)


def read_config(path, encoder=None, encoder_weights=None, encoder_overrides=None, **environment):
    """Parse a config for an encoder.

    Args:
        path (str | Path): The config.
        encoder, encoder_weights, encoder_overrides: As in a config; by default from the environment or the config
            itself.
        **environment: Other environment variables for the config.

    Returns:
        Config: with the ``encoder``, ``encoder_weights`` and ``encoder_overrides`` that it was parsed with.

    Raises:
        EncoderError: if the encoder is unknown, or the config does not read it.
    """
    given = dict(encoder=encoder, encoder_weights=encoder_weights, encoder_overrides=encoder_overrides)
    given = {key: value for key, value in given.items() if value is not None}
    variables = {VARIABLES[key]: str(value) for key, value in given.items()}
    with _lock, _environment_set(variables | environment):
        _parsed.clear()
        cfg = Config.fromfile(path)
        used, requested = list(_parsed), _from_environment()
    for key in requested if used else ():
        cfg[key] = used[0][key]  # the file may set another one, which did not apply
    if used and cfg.get('encoder_weights') == 'official':
        cfg.encoder_weights = used[0]['encoder_weights']
    for key in () if used else requested:
        place = (cfg.get('model') or {}).get('backbone') or (cfg.get('extraction') or {}).get('encoder')
        if key == 'encoder_weights' and place:
            cfg[key] = place['weights'] = requested[key]
        elif key == 'encoder_overrides' or cfg.get(key) != requested[key]:
            raise EncoderError(
                f'{VARIABLES[key]}={requested[key]} (or {key}=) has no effect: {path} does not ask which encoder it is '
                'for, because it does not inherit twlv_mm::_base_/encoder.py. Set model.backbone in it, or give the '
                'config that it was made from'
            )
    return cfg


def encoder_in(cfg, path):
    """The encoder of a parsed config: SOURCE and overrides. ``path`` is for error messages.

    Raises:
        EncoderError: if it has none of this package, or two that contradict.
    """
    if 'spec' in cfg:
        place = dict(cfg['encoder_overrides'], source=cfg['encoder'])
    else:
        place = dict((cfg.get('model') or {}).get('backbone') or {})
    kind = str(place.pop('type', 'Encoder')).removeprefix('twlv_mm.')
    source = place.pop('source', None) or place.pop('arch', 'squeezetime_r50' if kind == 'SqueezeTime' else None)
    if kind not in ('Encoder', 'VideoViT', 'SqueezeTime') or source is None:
        raise EncoderError(
            f'{path} names no encoder: inherit twlv_mm::_base_/encoder.py, or set a model.backbone of type '
            "twlv_mm.Encoder with a source. For mmaction2's own configs, give mmaction:CONFIG"
        )
    if cfg.get('encoder') not in (None, source):
        raise EncoderError(
            f'{path} says encoder={cfg["encoder"]!r}, but its model.backbone is {source}: encoder only has an effect '
            'in a config that inherits twlv_mm::_base_/encoder.py'
        )
    return source, {key: value for key, value in place.items() if value is not None and key not in (*USE, 'weights')}


def is_config(source):
    """Whether the name of an encoder is a config of this project rather than a SOURCE."""
    return source.endswith('.py') and ':' not in source


def frame_interval(span, num_frames):
    """The stride between a clip's frames at which ``num_frames`` of them cover ``span`` frames of the video.

    At least 1; rounding is logged.
    """
    interval = max(1, round(span / num_frames))
    if interval * num_frames != span:
        print_log(
            f'{num_frames} frames at an interval of {interval} cover {interval * num_frames} frames of the video, '
            f'not {span}.',
            'current',
        )
    return interval


def embeddings_folder(name, spec, root='embeddings'):
    """The folder of a dataset's embeddings by an encoder: ``<root>/<name>_<encoder>``, or its earlier name.

    Args:
        name (str): The dataset.
        spec (dict): As of :func:`spec_of`.
        root (str): Folder of all embeddings, unless EMBEDDINGS is set in the environment.
    """
    return folder_of_embeddings(os.environ.get('EMBEDDINGS') or root, name, spec)


def folder_of_embeddings(root, name, spec):
    """As :func:`embeddings_folder`, ignoring the environment."""
    folder = f'{root}/{name}_{slug(spec["name"])}'
    old = f'{root}/{name}{OLD_ENDINGS.get(spec["name"], "_")}'
    if os.path.isdir(old) and not os.path.exists(folder):
        print_log(f'Using the embeddings in {old}; new ones would go to {folder}.', 'current')
        return old
    return folder


def slug(name):
    """The name of an encoder as part of a file name."""
    return re.sub(r'[^A-Za-z0-9.-]+', '_', name).strip('._') or 'encoder'


def _from_environment():
    values = {key: os.environ[name] for key, name in VARIABLES.items() if os.environ.get(name)}
    if 'encoder_overrides' in values:
        text = values['encoder_overrides']
        try:
            values['encoder_overrides'] = dict(ast.literal_eval(text))
        except (ValueError, SyntaxError, TypeError):
            raise EncoderError(f"ENCODER_OVERRIDES={text}: give a dict, such as {{'num_frames': 16}}") from None
    return values


@contextmanager
def _environment_set(variables):
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
