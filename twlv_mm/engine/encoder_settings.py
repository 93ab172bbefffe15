"""One line swaps the encoder of a config: ``encoder = 'umt_large'``. What depends on the encoder follows it.

A config says whose numbers it has (``written_for``, in ``configs/_base_``). Before a run, every number that is that
encoder's becomes the new one's: mean and std, widths that heads take, frames, resolution, patches. A number that is
neither was set by somebody, and is an error if it contradicts the encoder.
"""

import copy
import logging
from contextlib import suppress

from mmengine.hooks import Hook
from mmengine.logging import print_log

from twlv_mm.encoders import ARCHITECTURES, get_architecture, list_models
from twlv_mm.encoders.architectures import OVERRIDES
from twlv_mm.registry import HOOKS

from .encoder_pipelines import follow_in_pipelines


class EncoderError(ValueError):
    """A config contradicts its encoder; the message names both."""


def follow_encoder(cfg):
    """Swap the encoder of a config, if it has ``encoder``, and let the numbers that depend on it follow.

    The encoder is ``encoder``, or else ``model.backbone.arch`` or ``extraction.encoder.arch``; what else is set beside
    ``arch`` there (num_frames, img_size, depth, ...) stays, and numbers follow that, too. Changed are: mean, std and
    size_divisor of the data_preprocessor; widths and heads of cls_head, decoder, roi_head and of models on embeddings;
    frames of the decoder and featmap_stride of the roi_head; frames, resolution and resizing in all pipelines, see
    :func:`~twlv_mm.engine.encoder_pipelines.follow_in_pipelines`; the protocol of the ResultsHook; and the folders of
    embeddings, whose names get the encoder's at their end.

    Args:
        cfg (Config): Changed in place. What has followed its encoder already stays as it is.

    Returns:
        list[str]: what was changed, a line for each number.

    Raises:
        EncoderError: if the encoder is unknown or cannot be set so, the config has none, or says two; if a number is
            neither the one that the encoder has nor that of ``written_for``.
    """
    place = _encoder_of(cfg)
    written_for = cfg.get('written_for')
    name = cfg.get('encoder') or (place or {}).get('arch')
    if name is None:
        return []
    if name not in list_models():
        raise EncoderError(f'there is no encoder {name!r}: {_row_error(name)}')
    if place is None and written_for is None:
        raise EncoderError(
            f'encoder={name!r}: {cfg.filename} has no encoder of this project in model.backbone or extraction.encoder, '
            'and does not say whose embeddings it is written for (written_for)'
        )
    old = written_for or place.arch
    if place is not None and cfg.get('encoder') and place.arch not in (old, name):
        raise EncoderError(f'encoder is {name!r}, and arch of the encoder is {place.arch!r}: set one of them')
    following = _Following(cfg, old, name, {key: place[key] for key in OVERRIDES if key in place} if place else {})
    if place is not None and place.arch != name:
        following.changes.append(f'arch: {place.arch} -> {name}')
        place.arch = name
        if 'type' in place:
            place.type = following.new.backbone
    following.model(place is not None and place is (cfg.get('model') or {}).get('backbone'))
    follow_in_pipelines(cfg._cfg_dict, following)
    if following.swap:
        following.folders()
    if 'written_for' in cfg:
        cfg.written_for = name
    if following.changes:
        because = f', and {cfg.filename} is written for {old}' if following.swap else ''
        text = '\n  '.join(following.changes)
        print_log(f'The encoder is {name}{because}. What follows it:\n  {text}', 'current')
    for warning in following.warnings:
        print_log(warning, 'current', logging.WARNING)
    return following.changes


@HOOKS.register_module()
class EncoderSettingsHook(Hook):
    """Refuse a run whose numbers have not followed its encoder.

    tools/train.py, test.py, run_folds.py and infer.py of this project let them. Other tools have to call
    :func:`follow_encoder`, or take the config that a run of ours has written into its work dir.
    """

    def before_run(self, runner):
        """See the class.

        Raises:
            EncoderError: if something in the config is another encoder's.
        """
        changes = follow_encoder(copy.deepcopy(runner.cfg))
        if changes:
            raise EncoderError(
                f'{runner.cfg.filename} has numbers of another encoder than its own, and this tool does not change '
                'them. Start with tools/train.py or tools/test.py of twlv_mm, or call '
                f'twlv_mm.engine.follow_encoder(cfg) before the runner is built. What has to change:\n  '
                + '\n  '.join(changes)
            )


class _Following:
    """The numbers of an encoder that take the place of another one's.

    Attributes:
        swap (bool): Whether it is another encoder than the config is written for.
        new (Architecture): The encoder.
        olds (list[Architecture]): Whose numbers may be replaced: the encoder that the config is written for, as it is
            in the table, with the clips' size of the config, and with all settings of the config.
        changes (list[str]): What was changed.
        warnings (list[str]): What could not be kept.
    """

    def __init__(self, cfg, old, name, overrides):
        self.cfg, self.name, self.old_name, self.swap = cfg, name, old, old != name
        try:
            self.new = get_architecture(name, **overrides)
        except (ValueError, TypeError) as error:
            raise EncoderError(f'{name} cannot be set so: {error}') from None
        self.olds = [get_architecture(old)]
        settings = {key: value for key, value in overrides.items() if getattr(self.olds[0], key, None) is not None}
        clips = {key: settings[key] for key in ('num_frames', 'img_size') if key in settings}
        for given in (clips, settings):
            with suppress(ValueError, TypeError):  # settings that are meant for the new one
                self.olds.append(get_architecture(old, **given))
        self.changes, self.warnings = [], []

    def number(self, node, key, path, of, must=None, default=None):
        """Let one number follow.

        Args:
            node (dict): Where it is.
            key (str): Its key.
            path (str): Of the node, for messages.
            of (Callable): Architecture -> the number.
            must (Callable, optional): number -> whether it may be another one than ``of`` gives. If None, it may be
                while the encoder is not swapped.
            default (Any, optional): What it is where the key is missing.

        Returns:
            bool: whether it was changed.
        """
        value, new = _plain(node.get(key, default)), _plain(of(self.new))
        if value is None or value == new:
            return False
        if value in [_plain(of(old)) for old in self.olds]:
            node[key] = list(new) if isinstance(new, tuple) else new
            self.changes.append(f'{path}.{key}: {value} -> {new}')
            return True
        if not (must(value) if must else not self.swap):
            self.refuse(f'{path}.{key}', value, new, of(self.olds[0]))
        return False

    def refuse(self, path, value, new, old):
        """Raise the error of a number that contradicts the encoder."""
        remedy = f'Leave it out, or set it to {new}.'
        if not self.swap:
            remedy = f'To take another encoder with all that depends on it, set encoder={self.name!r} and leave it out.'
        raise EncoderError(
            f'{path} of {self.cfg.filename} is {_plain(value)}, and that of the encoder {self.name} is {_plain(new)}'
            + (f' ({self.old_name}, which the config is written for: {_plain(old)})' if self.swap else '')
            + f'. {remedy}'
        )

    def model(self, live):
        """Let the model's numbers follow; ``live``: the encoder is a part of it."""
        model = self.cfg.get('model')
        if model is None:
            return
        if live:
            self._live(model)
        else:
            pooled = (self.cfg.get('extraction') or {}).get('pooling') is None
            for key in ('in_channels', 'feat_dim'):
                self.number(model, key, 'model', _vector_width if pooled else _width, must=_never)

    def _live(self, model):
        normalise = model.get('data_preprocessor') or {}
        for key in ('mean', 'std'):
            of_others = {getattr(arch, key) for arch in ARCHITECTURES.values()}
            own = None if self.swap else lambda value, of_others=of_others: value not in of_others
            self.number(normalise, key, 'model.data_preprocessor', lambda arch, key=key: getattr(arch, key), own)
        if model.backbone.get('detection'):
            return  # SqueezeTime's variant for AVA has maps of its own
        fits = lambda value: value % self.new.patch_size == 0  # noqa: E731
        # Where it is left out, 16 is what DetectionPreprocessor takes.
        default = 16 if normalise.get('type', '').endswith('DetectionPreprocessor') else None
        self.number(normalise, 'size_divisor', 'model.data_preprocessor', _patch, fits, default)
        width = _vector_width if model.get('features') == 'embed' else _width
        parts = {'cls_head': model.get('cls_head'), 'decoder': model.get('decoder')}
        roi_head = model.get('roi_head') or {}
        parts['roi_head.bbox_head'] = roi_head.get('bbox_head')
        if not model.get('neck'):
            for name, part in parts.items():
                self.number(part or {}, 'in_channels', f'model.{name}', width, must=_never)
        self.number(model.get('cls_head') or {}, 'num_heads', 'model.cls_head', _num_heads)
        steps = lambda arch: arch.num_frames // arch.tubelet_size  # noqa: E731
        self.number(model.get('decoder') or {}, 'num_frames', 'model.decoder', steps)
        extractor = roi_head.get('bbox_roi_extractor') or {}
        self.number(extractor, 'featmap_stride', 'model.roi_head.bbox_roi_extractor', _patch, must=_never)

    def folders(self):
        """Let folders of embeddings be the encoder's own: <folder>_<encoder>."""
        for path, node, key, root, rest in _embedding_folders(self.cfg._cfg_dict, ''):
            renamed = f'{root.removesuffix(f"_{self.old_name}").removesuffix(f"_{self.name}")}_{self.name}'
            if renamed != root:
                self.changes.append(f'{path}.{key}: {node[key]} -> {renamed}{rest}')
                node[key] = f'{renamed}{rest}'


def _encoder_of(cfg):
    """The dict of a config that chooses its encoder; None if it has none of ours."""
    for place in ((cfg.get('model') or {}).get('backbone'), (cfg.get('extraction') or {}).get('encoder')):
        if place and place.get('arch') in ARCHITECTURES:
            return place
    return None


def _embedding_folders(node, path):
    """Places of folders <root>/<sampling>/<split>: path, node, key, root, rest."""
    if isinstance(node, dict):
        folder = node.get('folder')
        if isinstance(folder, str):
            for sampling in ('multi-clip', 'uniform'):
                root, found, rest = f'/{folder}/'.partition(f'/{sampling}/')
                if found and root:
                    yield path, node, 'folder', root[1:], f'/{sampling}/{rest}'.rstrip('/')
                elif found and 'data_root' in node:
                    yield path, node, 'data_root', node['data_root'], ''
        if path == 'extraction' and 'out' in node:
            yield path, node, 'out', node['out'], ''
        for key, value in node.items():
            yield from _embedding_folders(value, f'{path}.{key}' if path else key)
    elif isinstance(node, list | tuple):
        for place, value in enumerate(node):
            yield from _embedding_folders(value, f'{path}[{place}]')


def _row_error(name):
    try:
        get_architecture(name)
    except ValueError as error:
        return str(error)


def _plain(value):
    return tuple(value) if isinstance(value, list | tuple) else value


def _never(value):
    return False


def _num_heads(arch):
    return getattr(arch, 'num_heads', 16)  # of an attentive probe on an encoder that has none


def _width(arch):
    return arch.embed_dims


def _vector_width(arch):
    return arch.embedding_dims


def _patch(arch):
    return arch.patch_size
