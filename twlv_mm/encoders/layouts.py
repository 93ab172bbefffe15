"""The layouts that encoders' weights come in, told apart by their keys, and how each becomes this project's.

Blocks are called norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2 in all of them but CLIP's, so most of it is
stripping prefixes. What multiplies or adds up to one tensor of ours is folded into it: LayerScale into the layer before
it, a class token's position into the class token.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from . import layouts_hf

# Below which names checkpoints keep a state dict, outermost first. V-JEPA's "encoder" is not the one to evaluate.
CONTAINERS = ('target_encoder', 'state_dict', 'model', 'module')
# An encoder has one of these, and what is before it in the key is the encoder's prefix.
MARKERS = ('patch_embed.proj.weight', 'patch_embed.projection.weight', 'class_embedding')
TEXT_TOWER = r'text_encoder\.|(vision|text)_proj\.|itm_head\.|temp$'


class Family(NamedTuple):
    """Whose files have a layout in common.

    Attributes:
        title (str): Its name.
        ignored (str): Pattern of keys, below the encoder's prefix, that are no part of an encoder.
        beside (str): Pattern of keys beside the encoder's prefix that are no part of it.
    """

    title: str
    ignored: str = r'$^'
    beside: str = r'$^'


FAMILIES = {
    # An encoder is what a model of ours or of mmengine's calls its backbone; heads are beside it.
    'own': Family('this project', beside=r''),
    'vjepa': Family('V-JEPA'),
    # Rotary positions need no table, and some of its files hold one.
    'vjepa2': Family('V-JEPA 2', ignored=r'pos_embed$'),
    'umt': Family(
        'UMT',
        ignored=r'head\.|mask_token$',
        beside=rf'(vision_encoder\.)?clip_decoder\.|(vision_encoder\.)?mask_token$|{TEXT_TOWER}',
    ),
    # In mmaction2's files (VisionTransformer) heads are beside the backbone.
    'videomae': Family(
        'VideoMAE',
        ignored=r'head\.|mask_token$',
        beside=r'(decoder|encoder_to_decoder|cls_head|roi_head)\.|mask_token$',
    ),
    'internvideo2': Family(
        'InternVideo2',
        ignored=r'(final_clip_decoder|clip_decoder|mae_decoder|fc_norm|head)\.|(clip|img|clip_img|mae)_pos_embed$',
        beside=TEXT_TOWER,
    ),
    'clip': Family(
        'CLIP (also DFN, open_clip)',
        beside=r'(transformer|token_embedding|ln_final|text)\.|(positional_embedding|text_projection|logit_scale|'
        r'logit_bias|attn_mask|input_resolution|context_length|vocab_size)$',
    ),
    # ImageNet's classifier is a part of the network; heads of other tasks are beside it, as in files of ours.
    'squeezetime': Family('SqueezeTime', ignored=r'(net\.)?fc\.', beside=r''),
}


@dataclass
class Conversion:
    """An encoder's weights under this project's names, and what became of the keys of their file.

    Attributes:
        family (str): A key of :data:`FAMILIES`.
        state (dict[str, Tensor]): The encoder's state dict. ``pos_embed`` of official files is flat, (1, L, D).
        ignored (list[str]): Keys that are no part of the encoder.
        origin (dict[str, str]): Name of ours, or one on the way to it -> key in the file.
        folded (dict[str, list[str]]): Name of ours -> keys that it was made of.
        arch (str | None): Name of its model, where this project's converter has written that into the file.
        published (bool): Whether this project's converter made the file of an official one.
        pretraining_sets (tuple[str] | None): What the weights were trained on, where the file says so.
    """

    family: str
    state: dict
    ignored: list
    origin: dict
    folded: dict = field(default_factory=dict)
    arch: str | None = None
    published: bool = False
    pretraining_sets: tuple | None = None

    @property
    def renamed(self):
        """dict[str, str]: key in the file -> name of ours, of tensors that stayed as they were."""
        return {self.origin[name]: name for name in self.state if name not in self.folded}

    def rename(self, *replacements):
        """Rename by pairs of a pattern and what takes its place."""
        for key in list(self.state):
            new = key
            for old, replacement in replacements:
                new = re.sub(old, replacement, new)
            self.state[new], self.origin[new] = self.state.pop(key), self.origin.pop(key)

    def fold(self, name, value, *parts):
        """Set a tensor that was made of others, which are taken out."""
        keys = [key for part in parts for key in self.folded.get(part, [self.origin[part]])]
        for part in parts:
            self.state.pop(part, None)
        self.state[name], self.folded[name] = value, keys


def encoder_state(checkpoint, path='the checkpoint'):
    """The encoder's state dict of a checkpoint, as :func:`convert` finds it."""
    return convert(checkpoint, path).state


def convert(checkpoint, path='the checkpoint', family=None):
    """Pick the encoder's weights out of a checkpoint, under this project's names.

    Args:
        checkpoint (dict): An encoder's own state dict; an mmengine checkpoint with the encoder as ``backbone``; or an
            official file of V-JEPA, V-JEPA 2, UMT, VideoMAE, InternVideo2, CLIP, DFN (open_clip) or SqueezeTime; of
            V-JEPA 2, VideoMAE and CLIP also one in Hugging Face's layout.
        path (str): For the error message.
        family (str, optional): A key of :data:`FAMILIES`; recognised by keys and shapes if None.

    Returns:
        Conversion: the encoder's state dict, and what became of the keys.

    Raises:
        ValueError: if no weights are found in it, or there are keys that are neither the encoder's nor known to be no
            part of it; the message names them.
    """
    state, container = checkpoint, None
    for name in CONTAINERS:
        if isinstance(state.get(name), dict):
            state, container = state[name], container or name
    state = {str(key): value for key, value in state.items() if isinstance(value, torch.Tensor)}
    if not state:
        raise ValueError(f'{path} holds no weights; its keys are {", ".join(map(str, list(checkpoint)[:8]))}')
    if layouts_hf.layout_of(state) and family in (None, layouts_hf.layout_of(state)):
        return _from_hugging_face(state, path)
    prefix = _prefix(state, path)
    inside = {key.removeprefix(prefix): key for key in state if key.startswith(prefix)}
    family = family or _recognise({key: state[whole] for key, whole in inside.items()}, container)

    rules = FAMILIES[family]
    beside = [key for key in state if not key.startswith(prefix)]
    unknown = [key for key in beside if not re.match(rules.beside, key.removeprefix('module.'))]
    if unknown:
        raise ValueError(
            f'{path} seems to hold an encoder of {rules.title} below {prefix!r}, and beside it keys that are neither '
            f'known nor to be ignored: {some(unknown)}'
        )
    origin = {key: whole for key, whole in inside.items() if not re.match(rules.ignored, key)}
    ignored = beside + [whole for key, whole in inside.items() if key not in origin]
    found = Conversion(family, {key: state[whole] for key, whole in origin.items()}, ignored, origin)
    if family in _RENAMINGS:
        try:
            _RENAMINGS[family](found)
        except KeyError as error:
            raise ValueError(
                f'{path} seems to hold an encoder of {rules.title}, and lacks its tensor {error.args[0]}'
            ) from None
    return found


def _from_hugging_face(state, path):
    found = Conversion(layouts_hf.layout_of(state), dict(state), [], {key: key for key in state})
    try:
        layouts_hf.rename(found)
    except KeyError as error:
        title = FAMILIES[found.family].title
        raise ValueError(
            f"{path} seems to hold an encoder of {title} in Hugging Face's layout, and lacks its tensor {error.args[0]}"
        ) from None
    return found


def _prefix(state, path):
    found = {key.removesuffix(marker) for marker in MARKERS for key in state if key.endswith(marker)}
    preferred = [prefix for prefix in found if prefix.removeprefix('module.') == 'backbone.']
    if len(preferred or found) > 1:
        raise ValueError(f'{path} holds several encoders, below {", ".join(map(repr, sorted(found)))}: keep one')
    if found:
        # Where a model has several encoders, a teacher's say, its backbone is the one.
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
        # Where a file of V-JEPA 2 holds a table, it is for 64 frames.
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
    found.rename((r'^(?!net\.)', 'net.'))  # files of ImageNet hold the network alone


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


def some(keys, count=6):
    """The first of some keys, and how many more there are."""
    return ', '.join(keys[:count]) + (f' and {len(keys) - count} more' if len(keys) > count else '')
