"""The layouts that encoders' weights come in, told apart by their keys, and how each becomes this project's.

Blocks are called norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2 in all of them but CLIP's, so most of it is
stripping prefixes. What multiplies or adds up to one tensor of ours is folded into it: LayerScale into the layer before
it, a class token's position into the class token.
"""

import re

import torch

# Below which names checkpoints keep the encoder, outermost first. V-JEPA's "encoder" is not the one to evaluate.
CONTAINERS = ('target_encoder', 'state_dict', 'model', 'module')
PREFIXES = ('module.', 'backbone.', 'vision_encoder.', 'encoder.', 'visual.')

# Keys of an encoder's official file that are no part of the encoder.
IGNORED = {
    'clip': r'$^',
    'squeezetime': r'net\.fc\.',  # the classifier of ImageNet
    'internvideo2': r'(final_clip_decoder|clip_decoder|mae_decoder|fc_norm|head)\.|(clip|img|clip_img)_pos_embed$',
    # UMT and VideoMAE: classification head, and what pretraining needs
    'masked': r'(head|clip_decoder|decoder|encoder_to_decoder)\.|mask_token$',
}


def encoder_state(checkpoint, path='the checkpoint'):
    """Pick the encoder's weights out of a checkpoint, under this project's names.

    Args:
        checkpoint (dict): An encoder's own state dict; an mmengine checkpoint with the encoder as ``backbone``; or an
            official file of V-JEPA, V-JEPA 2, UMT, VideoMAE, InternVideo2, CLIP, DFN (open_clip) or SqueezeTime.
        path (str): For the error message.

    Returns:
        dict[str, Tensor]: the encoder's state dict.

    Raises:
        ValueError: if no weights are found in it.
    """
    state = checkpoint
    for name in CONTAINERS:
        if isinstance(state.get(name), dict):
            state = state[name]
    for prefix in PREFIXES:
        state = _under(state, prefix)
    state = {key: value for key, value in state.items() if isinstance(value, torch.Tensor)}
    if not state:
        raise ValueError(f'{path} holds no weights; its keys are {", ".join(map(str, list(checkpoint)[:8]))}')
    if 'transformer.resblocks.0.ln_1.weight' in state:
        return _from_clip(_without(state, 'clip'))
    if 'clip_projector.norm1_q.weight' in state:
        return _from_internvideo2(_without(state, 'internvideo2'))
    if 'blocks.0.attn.q_bias' in state:
        return _from_masked(_without(state, 'masked'))
    if any('.param_conv.' in key for key in state):
        # SqueezeTime's files of ImageNet hold the network alone.
        return _without({key if key.startswith('net.') else f'net.{key}': state[key] for key in state}, 'squeezetime')
    return state


def _under(state, prefix):
    """The part of a state dict below a prefix, or all of it where nothing has the prefix."""
    below = {key.removeprefix(prefix): value for key, value in state.items() if str(key).startswith(prefix)}
    return below or state


def _without(state, family):
    ignored = re.compile(IGNORED[family])
    return {key: value for key, value in state.items() if not ignored.match(key)}


def _rename(state, *replacements):
    renamed = {}
    for key, value in state.items():
        for old, new in replacements:
            key = re.sub(old, new, key)
        renamed[key] = value
    return renamed


def _from_clip(state):
    state = _rename(
        state,
        (r'^transformer\.resblocks\.', 'blocks.'),
        (r'\.ln_([12])\.', r'.norm\1.'),
        (r'\.attn\.in_proj_', '.attn.qkv.'),
        (r'\.attn\.out_proj\.', '.attn.proj.'),
        (r'\.mlp\.c_fc\.', '.mlp.fc1.'),
        (r'\.mlp\.c_proj\.', '.mlp.fc2.'),
        (r'^ln_pre\.', 'norm_pre.'),
        (r'^ln_post\.', 'norm.'),
    )
    positions = state.pop('positional_embedding')[None]
    state['patch_embed.proj.weight'] = state.pop('conv1.weight').unsqueeze(2)
    state['cls_token'] = state.pop('class_embedding') + positions[:, :1]
    state['pos_embed'] = positions[:, 1:]
    state['projector.weight'] = state.pop('proj').T
    return state


def _from_internvideo2(state):
    state = _rename(
        state,
        (r'^clip_projector\.', 'projector.'),
        (r'\.cross_attn\.([qkv])_bias$', r'.cross_attn.\1.bias'),
    )
    positions = state.pop('pos_embed')
    state['cls_token'] = state['cls_token'] + positions[:, :1]
    state['pos_embed'] = positions[:, 1:]
    return _fold_layer_scale(state, 'ls1.gamma', 'ls2.gamma')


def _from_masked(state):
    for key in [key for key in state if key.endswith('.q_bias')]:
        query, value = state.pop(key), state.pop(key.replace('q_bias', 'v_bias'))
        state[key.replace('q_bias', 'qkv.bias')] = torch.cat([query, torch.zeros_like(query), value])
    return _fold_layer_scale(state, 'gamma_1', 'gamma_2')


def _fold_layer_scale(state, *names):
    """gamma * (W x + b) = (gamma W) x + gamma b."""
    for name, layer in zip(names, ('attn.proj', 'mlp.fc2'), strict=True):
        for key in [key for key in state if key.endswith(f'.{name}')]:
            gamma, block = state.pop(key), key.removesuffix(name)
            state[f'{block}{layer}.weight'] = gamma[:, None] * state[f'{block}{layer}.weight']
            state[f'{block}{layer}.bias'] = gamma * state[f'{block}{layer}.bias']
    return state
