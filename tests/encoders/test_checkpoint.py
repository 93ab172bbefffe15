"""Weights: official layouts give official outputs, other models' weights are refused."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import twlv_mm

DATA = Path(__file__).parents[1] / 'data'
TINY = dict(img_size=32, patch_size=8, num_frames=8, tubelet_size=2, embed_dims=48, depth=2, num_heads=4)
SETTINGS = (*TINY, 'output_dims', 'clip_embed_dims')


def read_golden(name):
    """Tensors and settings of a golden vector."""
    with np.load(DATA / f'{name}.npz') as file:
        tensors = {key: torch.from_numpy(file[key]) for key in file.files if key != 'meta'}
        return tensors, json.loads(str(file['meta']))


def official_model(name, tensors, meta, folder):
    """One of our models with the weights of a golden vector, through a file in the official layout."""
    state = {key.removeprefix('sd/'): value for key, value in tensors.items() if key.startswith('sd/')}
    noise = {key: torch.randn_like(value) for key, value in state.items()}
    if meta.get('checkpoint_key') == 'target_encoder':
        checkpoint = dict(target_encoder=state, encoder=noise, predictor={'x': torch.zeros(1)}, epoch=300)
    elif 'checkpoint_key' in meta:
        checkpoint = {meta['checkpoint_key']: state}
    else:
        checkpoint = state
    torch.save(checkpoint, folder / 'official.pth')
    meta = dict(meta, clip_embed_dims=meta.get('clip_embed_dim'))
    overrides = {key: meta[key] for key in SETTINGS if meta.get(key) is not None}
    return twlv_mm.get_model(name, folder / 'official.pth', **overrides).eval()


def frames(model, video):
    return torch.stack([model.embed(video[:, :, t : t + 1]) for t in range(video.shape[2])], dim=1)


@pytest.mark.parametrize(
    ('golden', 'name', 'compute', 'given', 'expected'),
    [
        ('vjepa_encoder', 'vjepa_large', 'tokens', 'video', 'tokens'),
        ('vjepa_encoder', 'vjepa_large', 'tokens', 'video_other_size', 'tokens_other_size'),
        ('vjepa2_encoder', 'vjepa2_large', 'tokens', 'video', 'tokens'),
        ('vjepa2_encoder', 'vjepa2_large', 'tokens', 'video_other_size', 'tokens_other_size'),
        ('umt_pretrain', 'umt_base', 'tokens', 'video', 'tokens'),
        ('umt_finetune', 'umt_base', 'embed', 'video', 'embedding'),
        ('videomae_finetune', 'videomae_base', 'embed', 'video', 'embedding'),
        ('internvideo2_stage1', 'internvideo2_1b', 'tokens', 'video', 'tokens'),
        ('internvideo2_stage1', 'internvideo2_1b', 'embed', 'video', 'pooled'),
        ('internvideo2_stage2', 'internvideo2_1b', 'tokens', 'video', 'tokens'),
        ('internvideo2_stage2', 'internvideo2_1b', 'embed', 'video', 'pooled'),
        ('clip_dfn', 'dfn_huge', frames, 'video', 'frame_embedding'),
    ],
)
def test_official_weights_give_the_official_outputs(golden, name, compute, given, expected, tmp_path):
    tensors, meta = read_golden(golden)
    model = official_model(name, tensors, meta, tmp_path)
    compute = compute if callable(compute) else getattr(type(model), compute)
    with torch.no_grad():
        outputs = compute(model, tensors[f'in/{given}'])
    difference = (outputs - tensors[f'out/{expected}']).abs().max().item()
    print(f'{golden}, {expected}: max abs difference {difference:.1e}')
    assert difference <= 2e-5


def test_a_key_that_no_family_knows_is_an_error_and_named(tmp_path):
    tensors, meta = read_golden('umt_finetune')
    tensors['sd/blocks.0.attn.surprise'] = torch.zeros(1)
    with pytest.raises(ValueError, match=r'Unexpected key.*blocks\.0\.attn\.surprise'):
        official_model('umt_base', tensors, meta, tmp_path)


def test_position_table_is_the_official_one():
    tensors, meta = read_golden('vjepa_encoder')
    model = twlv_mm.get_model('vjepa_large', **{setting: meta[setting] for setting in TINY})
    assert torch.equal(model.pos_embed.flatten(1, 3), tensors['sd/module.backbone.pos_embed'])


@pytest.mark.parametrize('layout', ['own', 'recognizer', 'ddp'])
def test_own_checkpoints_load_whatever_they_were_saved_from(layout, tmp_path):
    source = twlv_mm.get_model('twlv_base', **TINY)
    whole = nn.ModuleDict(dict(backbone=source, cls_head=nn.Linear(48, 2)))
    prefix = 'module.' if layout == 'ddp' else ''
    checkpoint = dict(meta=dict(epoch=1), state_dict={prefix + k: v for k, v in whole.state_dict().items()})
    torch.save(source.state_dict() if layout == 'own' else checkpoint, tmp_path / 'x.pth')
    model = twlv_mm.get_model('twlv_base', tmp_path / 'x.pth', **TINY)
    for name, value in source.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])
    assert len(model.weights_sha256) == 64


@pytest.mark.parametrize('other', [dict(img_size=64), dict(num_frames=16)])
def test_weights_of_another_clip_size_get_their_position_table_resized(other, tmp_path):
    source = twlv_mm.get_model('twlv_base', **TINY).eval()
    torch.save(source.state_dict(), tmp_path / 'x.pth')
    model = twlv_mm.get_model('twlv_base', tmp_path / 'x.pth', **dict(TINY, **other)).eval()
    video = torch.randn(1, 3, model.arch.num_frames, model.arch.img_size, model.arch.img_size)
    with torch.no_grad():
        torch.testing.assert_close(model(video), source(video))


def test_weights_of_another_model_are_refused_by_name(tmp_path):
    torch.save(twlv_mm.get_model('twlv_base', **dict(TINY, embed_dims=96)).state_dict(), tmp_path / 'wide.pth')
    with pytest.raises(ValueError, match='wide.pth does not hold the weights of twlv_base:(.|\n)*96.*48'):
        twlv_mm.get_model('twlv_base', tmp_path / 'wide.pth', **TINY)
    torch.save({'conv1.weight': torch.zeros(3)}, tmp_path / 'resnet.pth')
    with pytest.raises(ValueError, match='Missing key(.|\n)*Unexpected key.*conv1.weight'):
        twlv_mm.get_model('twlv_base', tmp_path / 'resnet.pth', **TINY)


def test_files_that_are_no_checkpoints_are_clear_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match='no weights at'):
        twlv_mm.get_model('twlv_base', tmp_path / 'none.pth')
    (tmp_path / 'text.pth').write_text('hello')
    with pytest.raises(ValueError, match='text.pth cannot be read as a checkpoint'):
        twlv_mm.get_model('twlv_base', tmp_path / 'text.pth')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list'):
        twlv_mm.get_model('twlv_base', tmp_path / 'list.pth')
    torch.save({'epoch': 3}, tmp_path / 'empty.pth')
    with pytest.raises(ValueError, match='holds no weights; its keys are epoch'):
        twlv_mm.get_model('twlv_base', tmp_path / 'empty.pth')


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f'touch {self.path}',)


def test_pickle_payload_in_weights_does_not_run(tmp_path):
    torch.save({'state_dict': {}, 'x': Payload(tmp_path / 'ran')}, tmp_path / 'evil.pth')
    with pytest.raises(ValueError, match='evil.pth cannot be read as a checkpoint'):
        twlv_mm.get_model('twlv_base', tmp_path / 'evil.pth')
    assert not (tmp_path / 'ran').exists()
