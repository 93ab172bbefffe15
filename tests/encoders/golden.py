"""Golden vectors: outputs of the official implementations, with their random weights in the official layouts."""

import torch

from ..written import official_state

TINY = dict(img_size=32, patch_size=8, num_frames=8, tubelet_size=2, embed_dims=48, depth=2, num_heads=4)
SETTINGS = (*TINY, 'output_dims', 'clip_embed_dims')
# Golden vector -> which of our models it is a small one of.
MODELS = dict(
    vjepa_encoder='vjepa_large',
    vjepa2_encoder='vjepa2_large',
    umt_pretrain='umt_base',
    umt_finetune='umt_base',
    videomae_finetune='videomae_base',
    internvideo2_stage1='internvideo2_1b',
    internvideo2_stage2='internvideo2_1b',
    clip_dfn='dfn_huge',
)


def official_checkpoint(tensors, meta):
    """What the official file of a golden vector holds."""
    state = official_state(tensors)
    if meta.get('checkpoint_key') == 'target_encoder':
        noise = {key: torch.randn_like(value) for key, value in state.items()}
        return dict(target_encoder=state, encoder=noise, predictor={'x': torch.zeros(1)}, epoch=300)
    return {meta['checkpoint_key']: state} if 'checkpoint_key' in meta else state


def overrides_of(meta):
    """What makes one of our models as small as a golden vector's."""
    meta = dict(meta, clip_embed_dims=meta.get('clip_embed_dim'))
    return {key: meta[key] for key in SETTINGS if meta.get(key) is not None}
