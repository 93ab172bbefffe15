"""Hugging Face's layouts of models that are also rows of the table: V-JEPA 2, VideoMAE and CLIP."""

import re
from pathlib import Path
from typing import NamedTuple

import torch

from twlv_mm.records import read_json
from twlv_mm.records.checks import shown

from .hf_files import MAX_JSON


class Layout(NamedTuple):
    """Names of a family's tensors in Hugging Face's files.

    Attributes:
        marker (str): Pattern of a key that only its files have.
        ignored (str): Pattern of keys that do not belong to the encoder.
        renaming (tuple[tuple[str, str]]): Patterns and their replacements.
        settings (dict): Settings that the shapes of tensors do not show: name in config.json -> name in the table, and
            the default of a file that lacks it.
    """

    marker: str
    ignored: str
    renaming: tuple
    settings: dict


BLOCK = ((r'^encoder\.layers?\.', 'blocks.'), (r'^(post_)?layernorm\.', 'norm.'))

LAYOUTS = {
    'vjepa2': Layout(
        marker=r'(vjepa2\.)?encoder\.layer\.0\.attention\.proj\.weight',
        ignored=r'(vjepa2\.)?predictor\.|pooler\.|classifier\.',
        renaming=(
            (r'^vjepa2\.', ''),
            (r'^encoder\.embeddings\.patch_embeddings\.', 'patch_embed.'),
            (r'^encoder\.layernorm\.', 'norm.'),
            *BLOCK,
            (r'\.attention\.(q|k|v)(uery|ey|alue)\.', r'.attn.\1.'),
            (r'\.attention\.proj\.', '.attn.proj.'),
        ),
        settings=dict(num_attention_heads=('num_heads', 16), hidden_act=('activation', 'gelu')),
    ),
    'videomae': Layout(
        marker=r'(videomae\.)?encoder\.layer\.0\.attention\.attention\.query\.weight',
        ignored=r'decoder\.|encoder_to_decoder\.|mask_token$|classifier\.',
        renaming=(
            (r'^videomae\.', ''),
            (r'^embeddings\.patch_embeddings\.projection\.', 'patch_embed.proj.'),
            *BLOCK,
            (r'\.attention\.attention\.([qv])_bias$', r'.attn.\1.bias'),
            (r'\.attention\.attention\.(q|k|v)(uery|ey|alue)\.', r'.attn.\1.'),
            (r'\.attention\.output\.dense\.', '.attn.proj.'),
            (r'\.intermediate\.dense\.', '.mlp.fc1.'),
            (r'\.output\.dense\.', '.mlp.fc2.'),
            (r'\.layernorm_before\.', '.norm1.'),
            (r'\.layernorm_after\.', '.norm2.'),
        ),
        settings=dict(num_attention_heads=('num_heads', 12), hidden_act=('activation', 'gelu')),
    ),
    'clip': Layout(
        marker=r'vision_model\.embeddings\.class_embedding',
        ignored=r'(text_model|text_projection)\.|logit_scale$|(.*\.)?position_ids$',
        renaming=(
            (r'^vision_model\.', ''),
            (r'^embeddings\.class_embedding$', 'cls_token'),
            (r'^embeddings\.position_embedding\.weight$', 'pos_embed'),
            (r'^embeddings\.patch_embedding\.', 'patch_embed.proj.'),
            (r'^pre_layrnorm\.', 'norm_pre.'),
            (r'^visual_projection\.', 'projector.'),
            *BLOCK,
            (r'\.self_attn\.([qkv])_proj\.', r'.attn.\1.'),
            (r'\.self_attn\.out_proj\.', '.attn.proj.'),
            (r'\.layer_norm([12])\.', r'.norm\1.'),
        ),
        settings=dict(num_attention_heads=('num_heads', 12), hidden_act=('activation', 'quick_gelu')),
    ),
}


def layout_of(state):
    """The key of :data:`LAYOUTS` that a state dict matches, or None."""
    for family, layout in LAYOUTS.items():
        if any(re.fullmatch(layout.marker, key) for key in state):
            return family
    return None


def rename(found):
    """Convert all tensors of a file (a Conversion) from Hugging Face's layout to this project's."""
    layout = LAYOUTS[found.family]
    for key in [key for key in found.state if re.match(layout.ignored, key)]:
        del found.state[key]
        found.ignored.append(found.origin.pop(key))
    found.rename(*layout.renaming)
    state = found.state
    for key in [key for key in state if key.endswith('.attn.q.weight')]:
        block = key.removesuffix('q.weight')
        parts = [f'{block}{part}.weight' for part in 'qkv']
        found.fold(f'{block}qkv.weight', torch.cat([state[part] for part in parts]), *parts)
        biases = [f'{block}{part}.bias' for part in 'qkv' if f'{block}{part}.bias' in state]
        if biases:
            # VideoMAE's keys have no bias.
            zeros = torch.zeros_like(state[f'{block}q.bias'])
            parts = [state.get(f'{block}{part}.bias', zeros) for part in 'qkv']
            found.fold(f'{block}qkv.bias', torch.cat(parts), *biases)
    if found.family == 'clip':
        positions, patches = state['pos_embed'][None], state['patch_embed.proj.weight'].unsqueeze(2)
        found.fold('cls_token', state['cls_token'] + positions[:, :1], 'cls_token', 'pos_embed')
        found.fold('pos_embed', positions[:, 1:], 'pos_embed')
        found.fold('patch_embed.proj.weight', patches, 'patch_embed.proj.weight')


def check_settings(folder, arch, name):
    """Compare config.json with a row of the table, in settings that the shapes of weights do not show.

    Args:
        folder (str | Path): The folder of the weights; nothing is checked without a config.json.
        arch (Architecture): The row.
        name (str): Its name, for the error message.
    """
    path, layout = Path(folder) / 'config.json', LAYOUTS.get(arch.family)
    if layout is None or not path.is_file():
        return
    settings = read_json(path, dict, max_bytes=MAX_JSON)
    tower = settings.get('vision_config_dict') or settings.get('vision_config')
    settings = tower if isinstance(tower, dict) else settings
    for key, (ours, default) in layout.settings.items():
        there, here = settings.get(key, default), getattr(arch, ours)
        if there != here:
            raise ValueError(
                f'{path}: {key} is {shown(there)}, but {name} has {ours}={here!r}: the weights are of another model'
            )
