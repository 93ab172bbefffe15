"""Loads weights of ActionFormer's code."""

import re

import torch

from twlv_mm.encoders import read_checkpoint

# ActionFormer's code evaluates the averaged weights.
CONTAINERS = ('state_dict_ema', 'state_dict')

# Buffers that are computed here.
IGNORED = re.compile(r'point_generator\.')

# Official names and ours, in the order of replacement.
RENAMED = (
    (r'^backbone\.embd\.(\d+)\.conv\.', r'pyramid.convs.\1.'),
    (r'^backbone\.embd_norm\.', 'pyramid.conv_norms.'),
    (r'^backbone\.stem\.', 'pyramid.stem.'),
    (r'^backbone\.branch\.', 'pyramid.levels.'),
    (r'^neck\.fpn_norms\.', 'pyramid.norms.'),
    (r'\.ln(\d)\.', r'.norm\1.'),
    (r'_conv\.conv\.', '_conv.'),
    (r'\.mlp\.3\.', '.mlp.2.'),
    (r'\.drop_path_attn\.', '.drop_path1.'),
    (r'\.drop_path_mlp\.', '.drop_path2.'),
    (r'^(cls|reg)_head\.head\.(\d+)\.conv\.', r'\1_head.convs.\2.'),
    (r'^(cls|reg)_head\.norm\.', r'\1_head.norms.'),
    (r'^cls_head\.cls_head\.conv\.', 'cls_head.last.'),
    (r'^reg_head\.offset_head\.conv\.', 'reg_head.last.'),
)
LEVEL_SCALE = re.compile(r'reg_head\.scale\.(\d+)\.scale$')


def load_official_weights(model, path):
    """Load the weights of an ActionFormer from a file of ActionFormer's code, strictly.

    Averaged weights take precedence. The moving average of the loss keeps its value, as files have none.
    """
    checkpoint = read_checkpoint(path)
    state = next((checkpoint[name] for name in CONTAINERS if name in checkpoint), checkpoint)
    state = _renamed(state)
    state['criterion.norm'] = model.criterion.norm
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reasons = '\n  '.join(reason.strip()[:400] for reason in str(error).split('\n\t')[1:5])
        raise ValueError(f'{path} does not hold the weights of this ActionFormer:\n  {reasons}') from None


def _renamed(state):
    renamed, scales = {}, {}
    for key, value in state.items():
        key = key.removeprefix('module.')
        if not isinstance(value, torch.Tensor) or IGNORED.match(key):
            continue
        if scale := LEVEL_SCALE.match(key):
            scales[int(scale[1])] = value
            continue
        for old, new in RENAMED:
            key = re.sub(old, new, key)
        # Norms and scales are (1, D, 1) there, and linear layers are convolutions over one step.
        if re.search(r'norms?\d?\.|drop_path', key):
            value = value.flatten()
        elif value.ndim == 3 and value.shape[-1] == 1:
            value = value.squeeze(-1)
        renamed[key] = value
    if scales:
        renamed['reg_head.scales'] = torch.stack([scales[level] for level in sorted(scales)])
    return renamed
