"""The layouts of encoders' weights, told apart by their keys, and their conversion to this project's.

All of them but CLIP's name the parts of a block norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2, so most of the
conversion is stripping prefixes. LayerScale is folded into the layer before it, a class token's position into the
class token.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from . import hf_layouts
from .checkpoint import UNKNOWN, state_dict_in

# Keys under which checkpoints keep a state dict, outermost first. V-JEPA evaluates target_encoder, not encoder.
CONTAINERS = ('target_encoder', 'state_dict', 'model', 'module')
# Every encoder has one of these; what precedes it in the key is the encoder's prefix.
MARKERS = ('patch_embed.proj.weight', 'patch_embed.projection.weight', 'class_embedding')
TEXT_TOWER = r'text_encoder\.|(vision|text)_proj\.|itm_head\.|temp$'


class Family(NamedTuple):
    """Models whose official files share a layout.

    Attributes:
        title (str): Its name.
        ignored (str): Pattern of keys, below the encoder's prefix, that do not belong to the encoder.
        ignored_outside (str): Pattern of keys outside the encoder's prefix that do not belong to it.
    """

    title: str
    ignored: str = r'$^'
    ignored_outside: str = r'$^'


FAMILIES = {
    # The encoder is the backbone of a model of ours or mmengine's; heads are outside its prefix.
    'own': Family('this project', ignored_outside=r''),
    'vjepa': Family('V-JEPA'),
    # Some files hold a table that rotary positions do not need.
    'vjepa2': Family('V-JEPA 2', ignored=r'pos_embed$'),
    'umt': Family(
        'UMT',
        ignored=r'head\.|mask_token$',
        ignored_outside=rf'(vision_encoder\.)?clip_decoder\.|(vision_encoder\.)?mask_token$|{TEXT_TOWER}',
    ),
    # In mmaction2's files (VisionTransformer), heads are outside the backbone's prefix.
    'videomae': Family(
        'VideoMAE',
        ignored=r'head\.|mask_token$',
        ignored_outside=r'(decoder|encoder_to_decoder|cls_head|roi_head)\.|mask_token$',
    ),
    'internvideo2': Family(
        'InternVideo2',
        ignored=r'(final_clip_decoder|clip_decoder|mae_decoder|fc_norm|head)\.|(clip|img|clip_img|mae)_pos_embed$',
        ignored_outside=TEXT_TOWER,
    ),
    'clip': Family(
        'CLIP (also DFN, open_clip)',
        ignored_outside=r'(transformer|token_embedding|ln_final|text)\.|(positional_embedding|text_projection|logit_scale|'
        r'logit_bias|attn_mask|input_resolution|context_length|vocab_size)$',
    ),
    # ImageNet's classifier is part of the network; heads of other tasks are outside its prefix, as in our files.
    'squeezetime': Family('SqueezeTime', ignored=r'(net\.)?fc\.', ignored_outside=r''),
}


@dataclass
class Conversion:
    """An encoder's weights under this project's names, and how the keys of their file were mapped.

    Attributes:
        family (str): A key of :data:`FAMILIES`.
        state (dict[str, Tensor]): The encoder's state dict. ``pos_embed`` of official files is flat, (1, L, D).
        ignored (list[str]): Keys that do not belong to the encoder.
        origin (dict[str, str]): Our name, final or intermediate -> key in the file.
        folded (dict[str, list[str]]): Our name -> keys that were merged into it.
        arch (str | None): Name of the model, if this project's converter wrote it into the file.
        published (bool): Whether this project's converter made the file from an official one.
        pretraining_sets (tuple[str] | None): What the weights were trained on, if the file says so.
        classifies (bool): Whether the encoder has a classifier in the file, so that it was fine-tuned.
    """

    family: str
    state: dict
    ignored: list
    origin: dict
    folded: dict = field(default_factory=dict)
    arch: str | None = None
    published: bool = False
    pretraining_sets: tuple | None = None
    classifies: bool = False

    @property
    def renamed(self):
        """Key in the file -> our name, of unchanged tensors."""
        return {self.origin[name]: name for name in self.state if name not in self.folded}

    def published_sets(self, arch):
        """What official weights of a row were trained on; one of the sets is unknown if they have a classifier."""
        sets = arch.pretraining_sets
        return (*sets, UNKNOWN) if sets and self.classifies else sets

    def rename(self, *replacements):
        """Rename keys by pairs of a pattern and its replacement."""
        for key in list(self.state):
            new = key
            for old, replacement in replacements:
                new = re.sub(old, replacement, new)
            self.state[new], self.origin[new] = self.state.pop(key), self.origin.pop(key)

    def fold(self, name, value, *parts):
        """Set a tensor that was computed from others, which are removed."""
        keys = [key for part in parts for key in self.folded.get(part, [self.origin[part]])]
        for part in parts:
            self.state.pop(part, None)
        self.state[name], self.folded[name] = value, keys


def encoder_state(checkpoint):
    """The encoder's state dict of a checkpoint, as :func:`convert` finds it."""
    return convert(checkpoint).state


def convert(checkpoint, path='the checkpoint', family=None):
    """Extract the encoder's weights from a checkpoint, under this project's names.

    Args:
        checkpoint (dict): An encoder's own state dict; an mmengine checkpoint with the encoder as ``backbone``; an
            official file of V-JEPA, V-JEPA 2, UMT, VideoMAE, InternVideo2, CLIP, DFN (open_clip) or SqueezeTime; or, of
            V-JEPA 2, VideoMAE and CLIP, one in Hugging Face's layout.
        path (str): For the error message.
        family (str, optional): A key of :data:`FAMILIES`; recognised by keys and shapes if None.

    Returns:
        Conversion

    Raises:
        ValueError: if it holds no weights, or unknown keys; the message names them.
    """
    state, container = state_dict_in(checkpoint, path, CONTAINERS)
    if hf_layouts.layout_of(state) and family in (None, hf_layouts.layout_of(state)):
        return _from_hugging_face(state, path)
    prefix = _prefix(state, path)
    inside = {key.removeprefix(prefix): key for key in state if key.startswith(prefix)}
    family = family or _recognise({key: state[full_key] for key, full_key in inside.items()}, container)

    rules = FAMILIES[family]
    outside = [key for key in state if not key.startswith(prefix)]
    unknown = [key for key in outside if not re.match(rules.ignored_outside, key.removeprefix('module.'))]
    if unknown:
        raise ValueError(
            f'{path} seems to hold an encoder of {rules.title} below {prefix!r}, and outside it unknown keys: '
            f'{abbreviate(unknown)}'
        )
    origin = {key: full_key for key, full_key in inside.items() if not re.match(rules.ignored, key)}
    ignored = outside + [full_key for key, full_key in inside.items() if key not in origin]
    found = Conversion(family, {key: state[full_key] for key, full_key in origin.items()}, ignored, origin)
    found.classifies = 'head.weight' in inside
    if family in _RENAMINGS:
        try:
            _RENAMINGS[family](found)
        except KeyError as error:
            raise ValueError(
                f'{path} seems to hold an encoder of {rules.title}, but lacks its tensor {error.args[0]}'
            ) from None
    return found


def _from_hugging_face(state, path):
    found = Conversion(hf_layouts.layout_of(state), dict(state), [], {key: key for key in state})
    try:
        hf_layouts.rename(found)
    except KeyError as error:
        title = FAMILIES[found.family].title
        raise ValueError(
            f"{path} seems to hold an encoder of {title} in Hugging Face's layout, but lacks its tensor {error.args[0]}"
        ) from None
    return found


def _prefix(state, path):
    found = {key.removesuffix(marker) for marker in MARKERS for key in state if key.endswith(marker)}
    preferred = [prefix for prefix in found if prefix.removeprefix('module.') == 'backbone.']
    if len(preferred or found) > 1:
        raise ValueError(f'{path} holds several encoders, below {", ".join(map(repr, sorted(found)))}: keep one')
    if found:
        # Of several encoders, a teacher's for example, the backbone counts.
        return (preferred or list(found))[0]
    for prefix in ('module.backbone.', 'backbone.', 'module.'):
        if any(key.startswith(prefix) for key in state):
            return prefix
    return ''


def _recognise(state, container):
    """The family of an encoder's state dict, by its keys and shapes."""
    if 'transformer.resblocks.0.ln_1.weight' in state or 'class_embedding' in state:
        return 'clip'
    if any(key.startswith('clip_projector.') for key in state):
        return 'internvideo2'
    if any(key.endswith('.attn.q_bias') for key in state):
        patch = state.get('patch_embed.proj.weight')
        return 'umt' if patch is not None and patch.ndim == 5 and patch.shape[2] == 1 else 'videomae'
    if any('.param_conv.' in key for key in state):
        return 'squeezetime'
    if container == 'target_encoder':
        # If a file of V-JEPA 2 holds a table, it is for 64 frames.
        table = state.get('pos_embed')
        return 'vjepa2' if table is None or table.shape[1] in (32 * 16**2, 32 * 24**2) else 'vjepa'
    return 'own'


def _from_clip(found):
    found.rename(
        (r'^transformer\.resblocks\.', 'blocks.'),
        (r'\.ln_([12])\.', r'.norm\1.'),
        (r'\.attn\.in_proj_', '.attn.qkv.'),
        (r'\.attn\.out_proj\.', '.attn.proj.'),
        (r'\.mlp\.c_fc\.', '.mlp.fc1.'),
        (r'\.mlp\.c_proj\.', '.mlp.fc2.'),
        (r'^ln_pre\.', 'norm_pre.'),
        (r'^ln_post\.', 'norm.'),
    )
    state = found.state
    positions, patches = state['positional_embedding'][None], state['conv1.weight'].unsqueeze(2)
    found.fold('cls_token', state['class_embedding'] + positions[:, :1], 'class_embedding', 'positional_embedding')
    found.fold('pos_embed', positions[:, 1:], 'positional_embedding')
    found.fold('patch_embed.proj.weight', patches, 'conv1.weight')
    found.fold('projector.weight', state['proj'].T, 'proj')


def _from_internvideo2(found):
    found.rename((r'^clip_projector\.', 'projector.'), (r'\.cross_attn\.([qkv])_bias$', r'.cross_attn.\1.bias'))
    positions = found.state['pos_embed']
    found.fold('cls_token', found.state['cls_token'] + positions[:, :1], 'cls_token', 'pos_embed')
    found.fold('pos_embed', positions[:, 1:], 'pos_embed')
    _fold_layer_scale(found, 'ls1.gamma', 'ls2.gamma')


def _from_masked(found):
    found.rename(  # from mmaction2's names
        (r'^patch_embed\.projection\.', 'patch_embed.proj.'),
        (r'\.mlp\.layers\.0\.0\.', '.mlp.fc1.'),
        (r'\.mlp\.layers\.1\.', '.mlp.fc2.'),
    )
    state = found.state
    for key in [key for key in state if key.endswith('.q_bias')]:
        query, value = state[key], state[key.replace('q_bias', 'v_bias')]
        parts = torch.cat([query, torch.zeros_like(query), value])
        found.fold(key.replace('q_bias', 'qkv.bias'), parts, key, key.replace('q_bias', 'v_bias'))
    _fold_layer_scale(found, 'gamma_1', 'gamma_2')


def _from_squeezetime(found):
    found.rename((r'^(?!net\.)', 'net.'))  # ImageNet's files hold the bare network


_RENAMINGS = dict(
    clip=_from_clip,
    internvideo2=_from_internvideo2,
    umt=_from_masked,
    videomae=_from_masked,
    squeezetime=_from_squeezetime,
)


def _fold_layer_scale(found, *names):
    """gamma * (W x + b) = (gamma W) x + gamma b."""
    state = found.state
    for name, layer in zip(names, ('attn.proj', 'mlp.fc2'), strict=True):
        for key in [key for key in state if key.endswith(f'.{name}')]:
            gamma, layer_name = state[key], f'{key.removesuffix(name)}{layer}'
            weight, bias = f'{layer_name}.weight', f'{layer_name}.bias'
            found.fold(weight, gamma[:, None] * state[weight], weight, key)
            found.fold(bias, gamma * state[bias], bias, key)


def abbreviate(keys):
    """The first six keys, and the number of the others."""
    return ', '.join(keys[:6]) + (f' and {len(keys) - 6} more' if len(keys) > 6 else '')
