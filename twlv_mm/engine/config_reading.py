"""Reads configs with variables, and refuses a variable that has no effect."""

import ast
import logging
import os
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from mmengine.logging import print_log

from twlv_mm.compat.config_variables import ConfigVariableError, is_bound, settings, targets, variables
from twlv_mm.encoders import read_config


def read_with_variables(path, options, **encoder):
    """Parse a config with variables from the command line.

    Args:
        path (str): The config.
        options (dict): Variables and their values; ``videos.fps`` is an entry of the variable ``videos``.
        **encoder: See :func:`twlv_mm.encoders.read_config`.

    Raises:
        ConfigVariableError: if a variable of ``options``, or one that the config sets for its bases, has no effect.
    """
    given = {}
    for name, value in options.items():
        *outer, last = name.split('.')
        place = given
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = value

    def read(values, hidden=(), **environment):
        with variables(values, hidden):
            return read_config(path, **encoder, **environment)

    cfg = read(given)
    for name in sorted(given):
        _check(path, f'--cfg-options {name}=…', name, cfg, read, {key: given[key] for key in given if key != name})
    # EMBEDDINGS in the environment overrides a variable, which is no reason to refuse the variable.
    plain = dict(EMBEDDINGS='') if os.environ.get('EMBEDDINGS') else {}
    for name in sorted(_only_set(path) - settings()):
        whole = read({}, **plain) if given or plain else cfg
        _check(path, f'{path} sets {name}, which', name, whole, partial(read, **plain), {}, [name])
    return cfg


def _check(path, what, name, cfg, read, values, hidden=()):
    """Refuse a variable if the config is the same without it."""
    try:
        other = read(values, hidden)
    except Exception:  # the config cannot be parsed without the variable, so it depends on it
        return
    if name not in other:
        near = get_close_matches(name, [*other, *settings()], 1, cutoff=0.8 if hidden else 0.6)
        of_encoder = name in (other.get('spec') or {})
        places = [f'encoder_overrides.{name}'] if of_encoder else list(_places(_run_by(other), name))
        meant = f': did you mean {near[0]}?' if near else ''
        if places:
            meant = f': set {", ".join(places[:4])}{", …" if places[4:] else ""}'
        configs = 'config' if hidden else f'config of {path}'
        problem = f'{what} has no effect, because no {configs} reads {name!r}{meant}'
        if meant or not hidden:
            raise ConfigVariableError(problem)
        print_log(problem, 'current', logging.WARNING)
    elif cfg[name] != other[name] and _run_by(cfg) == _run_by(other):
        raise ConfigVariableError(
            f'{what} changes nothing in the run. A variable takes effect on what its config derives from it only if '
            'its value there is an expression of constants; set the derived entry itself, such as one of model or '
            'train_dataloader'
        )


def _places(part, name, path=''):
    """The settings of that name, as --cfg-options write them."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if key == name:
            yield f'{path}{key}'
        elif isinstance(value, dict | list | tuple):
            yield from _places(value, name, f'{path}{key}.')


def _run_by(cfg):
    return {name: value for name, value in cfg.items() if name in settings()}


def _only_set(path):
    """The variables that a config sets for its bases: those that it does not use itself."""
    if not (str(path).endswith('.py') and is_bound(path)):
        return set()
    body = ast.parse(Path(path).read_text(encoding='utf-8')).body
    given = {target.id for statement in body for target in targets(statement)}
    if '_base_' not in given:  # such as the config that a run has dumped, with everything its bases set
        return set()
    used = {n.id for one in body for n in ast.walk(one) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    # mmengine reads _base_ and custom_imports.
    return {name for name in given - used if not name.startswith('_')} - {'custom_imports'}
