"""SOURCE, the string that names an encoder: list, describe and build encoders."""

import inspect
from dataclasses import replace
from importlib import import_module

import torch

from twlv_mm.registry import MODELS

from .architectures import ARCHITECTURES, get_architecture
from .encoder import Encoder
from .spec import EncoderSpec
from .squeezetime import SqueezeTime
from .vit import VideoVisionTransformer

# Prefix of a SOURCE -> the module that provides such encoders: its describe(name, **overrides) returns an EncoderSpec,
# its build(name, **overrides) an Encoder without weights.
PROVIDERS = dict(hf='hf_models', timm='timm_models', mmaction='mmaction_models')

# Settings of an encoder's use in a task, which do not change its spec.
USE = ('frozen', 'allow_random', 'drop_path_rate', 'with_cp', 'branches')

# Overrides that are recorded elsewhere, or change no vector.
RECORDED = ('num_frames', 'img_size', 'pretraining_sets', 'drop_path_rate', 'with_cp')


def list_models():
    """The sorted names of the encoders of the table."""
    return sorted(ARCHITECTURES)


def describe(source, **overrides):
    """Describe an encoder, without its weights.

    Args:
        source (str): A name of :func:`list_models`; 'hf:FOLDER_OR_REPO', a model of transformers; 'timm:NAME';
            'mmaction:CONFIG', the backbone of a recognizer of mmaction2; or 'package.module:NAME', a subclass of
            :class:`twlv_mm.Encoder` or a function that returns one. If the class or function has an attribute ``spec``,
            it is not called; otherwise it is built on the meta device.
        **overrides: As for :func:`get_model`.

    Returns:
        EncoderSpec

    Raises:
        ValueError: if the encoder is unknown.
        TypeError: if an override is unknown.
    """
    overrides = {key: value for key, value in overrides.items() if key not in USE}
    if ':' not in source:
        return get_architecture(source, **overrides).spec(source)
    if provider := _provider(source):
        return _with_source(provider.describe(source.partition(':')[2], **overrides), source)
    make = _user_object(source)
    spec = getattr(make, 'spec', None)
    if overrides or not isinstance(spec, EncoderSpec):
        with torch.device('meta'):
            spec = _call(make, source, overrides).spec
    return _with_source(spec, source)


@MODELS.register_module(name='Encoder')
def get_model(source, weights=None, *, frozen=False, allow_random=False, **overrides):
    """Build an encoder; in configs ``dict(type='twlv_mm.Encoder', source=SOURCE, ...)``.

    Args:
        source (str): As for :func:`describe`.
        weights (str, optional): Path of a checkpoint: this project's or an official one, told apart by its keys. By
            default the weights of the source itself (those in the folder of 'hf:', for example); if it has none, the
            encoder is randomly initialised.
        frozen (bool): Stay in eval mode, build no graph, train nothing.
        allow_random (bool): Let a frozen encoder run without weights.
        **overrides: For a model of the table, numbers to change: img_size, patch_size, num_frames, tubelet_size,
            embed_dims, depth, num_heads, mlp_ratio, output_dims (CLIP, DFN), clip_embed_dims (InternVideo2); for
            SqueezeTime depth, widen_factor, num_frames, pos_dim, detection; and other arguments of
            :class:`twlv_mm.encoders.VideoVisionTransformer` or :class:`twlv_mm.encoders.SqueezeTime`. For your own
            class or function, its arguments.

    Returns:
        Encoder: ``model(video)`` (N, 3, T, H, W) -> (N, D, T', H', W'), ``model.tokens(video)`` -> (N, L, D),
        ``model.embed(video)`` -> (N, D').

    Raises:
        ValueError: if the source is unknown or the weights are another model's.
        TypeError: if an override is unknown.
    """
    if ':' in source:
        provider = _provider(source)
        if provider:
            model = provider.build(source.partition(':')[2], **overrides)
        else:
            model = _call(_user_object(source), source, overrides)
        model.spec = _with_source(model.spec, source)
        model.set_up(weights, frozen, allow_random)
    else:
        row = ARCHITECTURES.get(source)
        kind = SqueezeTime if isinstance(row, SqueezeTime.kind) else VideoVisionTransformer
        model = kind(source, weights=weights, frozen=frozen, allow_random=allow_random, **overrides)
    model.overrides = ', '.join(f'{key}={overrides[key]!r}' for key in sorted(overrides) if key not in RECORDED)
    return model


def text_encoder(source):
    """The text tower of an encoder that was trained with text.

    Args:
        source (str): 'hf:FOLDER_OR_REPO' of CLIP, SigLIP, SigLIP 2 or X-CLIP, with both towers and the tokenizer.

    Returns:
        TextEncoder: sentences -> (N, D), comparable by cosine with ``model.embed(video)`` of that source.

    Raises:
        ValueError: if the model is unknown, or the encoder has no text tower.
        ImportError: if transformers is not installed.
    """
    if not source.startswith('hf:'):
        raise ValueError(
            f'the encoder {source} has no text tower: use an hf: SOURCE of CLIP, SigLIP, SigLIP 2 or X-CLIP '
            '(docs/search.md)'
        )
    _provider(source)  # its error says which package is missing
    from .hf_text import TextEncoder

    return TextEncoder(source.partition(':')[2])


def own_weights(source, **overrides):
    """The file or folder with the weights of a SOURCE itself; None if weights must be given."""
    provider = _provider(source)
    if provider is None:
        return None
    with torch.device('meta'):
        return provider.build(source.partition(':')[2], **overrides).own_weights


def _provider(source):
    """The module that provides encoders of such a SOURCE; None for a user's own."""
    prefix = source.partition(':')[0]
    if prefix not in PROVIDERS:
        return None
    try:
        return import_module(f'.{PROVIDERS[prefix]}', __package__)
    except ModuleNotFoundError as error:
        if error.name not in ('transformers', 'timm'):
            raise
        raise ImportError(
            f"the encoder {source!r} needs {error.name}, which is not installed: pip install 'twlv-i[{prefix}]'"
        ) from None


def _user_object(source):
    module, _, name = source.partition(':')
    if not all(part.isidentifier() for part in (*module.split('.'), name)):
        raise ValueError(f'unknown encoder {source!r}: give a name of twlv_mm.list_models(), or package.module:NAME')
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'the encoder {source!r} cannot be imported ({error}): install its package, or set PYTHONPATH to its folder'
        ) from error
    if not callable(found):
        raise ValueError(f'the encoder {source!r}: the module {module} has no class or function {name}')
    return found


def _call(make, source, overrides):
    # So that a misspelt override is reported as one, not as an error inside the user's class.
    try:
        inspect.signature(make).bind(**overrides)
    except TypeError as error:
        raise TypeError(f'{source} does not accept these settings: {error}') from None
    model = make(**overrides)
    if not isinstance(model, Encoder) or not isinstance(model.spec, EncoderSpec):
        raise ValueError(
            f'{source} returned a {type(model).__name__}, not a twlv_mm.Encoder with a spec: subclass it, or return '
            'twlv_mm.wrap(module, spec)'
        )
    return model


def _with_source(spec, source):
    return replace(spec, source=source)
