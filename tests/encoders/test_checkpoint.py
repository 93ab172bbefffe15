"""Weights: official layouts give official outputs, other models' weights are refused."""

import os
import re

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import twlv_mm

from ..payload import Call
from ..written import official_state, read_golden
from .golden import MODELS, TINY, official_checkpoint, overrides_of


def official_model(name, tensors, meta, folder, save=torch.save):
    """One of our models with the weights of a golden vector, through a file in the official layout."""
    path = folder / ('official.safetensors' if save is save_file else 'official.pth')
    save(official_checkpoint(tensors, meta), path)
    return twlv_mm.get_model(name, path, **overrides_of(meta)).eval()


def frames(model, video):
    return torch.stack([model.embed(video[:, :, t : t + 1]) for t in range(video.shape[2])], dim=1)


def frame_tokens(model, video):
    return torch.stack([model.tokens(video[:, :, t : t + 1])[:, 1:] for t in range(video.shape[2])], dim=1)


@pytest.mark.parametrize(
    ('golden', 'compute', 'given', 'expected'),
    [
        ('vjepa_encoder', 'tokens', 'video', 'tokens'),
        ('vjepa_encoder', 'tokens', 'video_other_size', 'tokens_other_size'),
        ('vjepa2_encoder', 'tokens', 'video', 'tokens'),
        ('vjepa2_encoder', 'tokens', 'video_other_size', 'tokens_other_size'),
        ('umt_pretrain', 'tokens', 'video', 'tokens'),
        ('umt_finetune', 'embed', 'video', 'embedding'),
        ('videomae_finetune', 'embed', 'video', 'embedding'),
        ('internvideo2_stage1', 'tokens', 'video', 'tokens'),
        ('internvideo2_stage1', 'embed', 'video', 'pooled'),
        ('internvideo2_stage2', 'tokens', 'video', 'tokens'),
        ('internvideo2_stage2', 'embed', 'video', 'pooled'),
        ('clip_dfn', frames, 'video', 'frame_embedding'),
        ('clip_dfn', frame_tokens, 'video', 'frame_tokens'),
    ],
)
def test_official_weights_give_the_official_outputs(golden, compute, given, expected, tmp_path):
    tensors, meta = read_golden(golden)
    model = official_model(MODELS[golden], tensors, meta, tmp_path)
    compute = compute if callable(compute) else getattr(type(model), compute)
    with torch.no_grad():
        outputs = compute(model, tensors[f'in/{given}'])
    difference = (outputs - tensors[f'out/{expected}']).abs().max().item()
    print(f'{golden}, {expected}: max abs difference {difference:.1e}')
    assert difference <= 2e-5


@pytest.mark.parametrize('golden', ['umt_finetune', 'videomae_finetune'])
def test_official_heads_on_our_vectors_give_the_official_scores(golden, tmp_path):
    tensors, meta = read_golden(golden)
    model = official_model(MODELS[golden], tensors, meta, tmp_path)
    with torch.no_grad():
        scores = nn.functional.linear(
            model.embed(tensors['in/video']), tensors['sd/head.weight'], tensors['sd/head.bias']
        )
    torch.testing.assert_close(scores, tensors['out/logits'], atol=2e-5, rtol=0)


def test_mean_of_the_frames_is_a_video_of_an_image_encoder(tmp_path):
    tensors, meta = read_golden('clip_dfn')
    model = official_model('dfn_huge', tensors, meta, tmp_path)
    with torch.no_grad():
        video = model.embed(tensors['in/video'])
    torch.testing.assert_close(video, tensors['out/frame_embedding'].mean(1), atol=2e-5, rtol=0)


@pytest.mark.parametrize(
    ('golden', 'prefix', 'beside'),
    [
        (
            'umt_pretrain',
            ('encoder.', 'vision_encoder.encoder.'),
            ['text_encoder.x', 'vision_proj.weight', 'temp'],
        ),
        ('videomae_finetune', ('', 'encoder.'), ['decoder.blocks.0.x', 'encoder_to_decoder.weight', 'mask_token']),
        ('videomae_finetune', ('', 'backbone.'), []),
        ('internvideo2_stage2', ('', ''), ['text_encoder.bert.x', 'itm_head.weight', 'text_proj.bias']),
        ('clip_dfn', ('', ''), ['transformer.resblocks.0.ln_1.weight', 'token_embedding.weight', 'logit_scale']),
    ],
)
@pytest.mark.parametrize('save', [torch.save, save_file])
def test_the_other_parts_of_official_files_are_left_out(golden, prefix, beside, save, tmp_path):
    tensors, meta = read_golden(golden)
    tensors = {
        key.replace(f'sd/{prefix[0]}', f'sd/{prefix[1]}', 1) if key.startswith(f'sd/{prefix[0]}') else key: value
        for key, value in tensors.items()
    }
    state = official_state(tensors) | {key: torch.zeros(1) for key in beside}
    whole = {f'sd/{key}': value for key, value in state.items()}
    model = official_model(MODELS[golden], whole, {} | meta if save is torch.save else _flat(meta), tmp_path, save)
    plain = official_model(MODELS[golden], *read_golden(golden), tmp_path)
    assert all(torch.equal(value, plain.state_dict()[key]) for key, value in model.state_dict().items())


def _flat(meta):
    """safetensors files hold tensors only, no dict of them."""
    return {key: value for key, value in meta.items() if key != 'checkpoint_key'}


def test_a_key_that_no_family_knows_is_an_error_and_named(tmp_path):
    tensors, meta = read_golden('umt_finetune')
    tensors['sd/blocks.0.attn.surprise'] = torch.zeros(1)
    with pytest.raises(ValueError, match=r'the weights of umt_base:\s*Unexpected key: blocks\.0\.attn\.surprise$'):
        official_model('umt_base', tensors, meta, tmp_path)


def test_position_table_is_the_official_one():
    tensors, meta = read_golden('vjepa_encoder')
    model = twlv_mm.get_model('vjepa_large', **overrides_of(meta))
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
def test_weights_of_another_clip_size_get_their_position_table_resized(other, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('twlv_mm.encoders.weight_loading.print_log', lambda message, *_: said.append(message))
    source = twlv_mm.get_model('twlv_base', **TINY).eval()
    torch.save(source.state_dict(), tmp_path / 'x.pth')
    model = twlv_mm.get_model('twlv_base', tmp_path / 'x.pth', **dict(TINY, **other)).eval()
    video = torch.randn(1, 3, model.arch.num_frames, model.arch.img_size, model.arch.img_size)
    with torch.no_grad():
        torch.testing.assert_close(model(video), source(video))
    grid = ' x '.join(map(str, model.arch.table_grid))
    used = f'{tmp_path / "x.pth"} is used for {grid} patches instead of'
    assert said == [f'{used} 4 x 4 x 4: the position table in the file is interpolated']

    # An official file of V-JEPA's kind may lack the table.
    state = {key: value for key, value in source.state_dict().items() if key != 'pos_embed'}
    torch.save(state, tmp_path / 'x.pth')
    twlv_mm.get_model('twlv_base', tmp_path / 'x.pth', **dict(TINY, **other))
    assert said[1:] == [f'{used} 8 x 14 x 14: the position table is computed for these, as in its official code']


def test_weights_of_another_model_are_refused_by_name(tmp_path):
    torch.save(twlv_mm.get_model('twlv_base', **dict(TINY, embed_dims=96)).state_dict(), tmp_path / 'wide.pth')
    with pytest.raises(ValueError, match='wide.pth does not hold the weights of twlv_base:(.|\n)*96.*48'):
        twlv_mm.get_model('twlv_base', tmp_path / 'wide.pth', **TINY)
    torch.save({'conv1.weight': torch.zeros(3)}, tmp_path / 'resnet.pth')
    with pytest.raises(ValueError, match='Missing key(.|\n)*Unexpected key.*conv1.weight'):
        twlv_mm.get_model('twlv_base', tmp_path / 'resnet.pth', **TINY)


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        (torch.full((48,), float('nan')), 'NaN, infinity, or too large for fp32: norm.weight'),
        (torch.full((48,), 1e300, dtype=torch.float64), 'NaN, infinity, or too large for fp32: norm.weight'),
        (torch.ones(48, dtype=torch.int64), r'No floating-point numbers: norm.weight \(torch.int64\)'),
    ],
)
def test_weights_that_are_not_finite_are_refused(value, expected, tmp_path):
    state = dict(twlv_mm.get_model('twlv_base', **TINY).state_dict(), **{'norm.weight': value})
    torch.save(state, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=rf'x.pth has weights that twlv_base cannot use:\n  {expected}'):
        twlv_mm.get_model('twlv_base', tmp_path / 'x.pth', **TINY)


def test_files_that_are_not_checkpoints_are_clear_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match='no weights at'):
        twlv_mm.get_model('twlv_base', tmp_path / 'none.pth', **TINY)
    (tmp_path / 'text.pth').write_text('hello')
    with pytest.raises(ValueError, match='text.pth cannot be read as a checkpoint'):
        twlv_mm.get_model('twlv_base', tmp_path / 'text.pth', **TINY)
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list'):
        twlv_mm.get_model('twlv_base', tmp_path / 'list.pth', **TINY)
    torch.save({'epoch': 3}, tmp_path / 'empty.pth')
    with pytest.raises(ValueError, match='holds no weights; its keys are epoch'):
        twlv_mm.get_model('twlv_base', tmp_path / 'empty.pth', **TINY)


def test_pickle_payload_in_weights_does_not_run(tmp_path, monkeypatch):
    torch.save({'state_dict': {}, 'x': Call(os.system, f'touch {tmp_path}/ran')}, tmp_path / 'evil.pth')
    with pytest.raises(ValueError, match='evil.pth cannot be read.*more than weights.*system.*could run code'):
        twlv_mm.get_model('twlv_base', tmp_path / 'evil.pth', **TINY)
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    with pytest.raises(RuntimeError, match='unset TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'):
        twlv_mm.get_model('twlv_base', tmp_path / 'evil.pth', **TINY)
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('save', [torch.save, save_file])
def test_file_that_is_cut_off_says_so(save, tmp_path):
    path = tmp_path / ('x.safetensors' if save is save_file else 'x.pth')
    save(twlv_mm.get_model('twlv_base', **TINY).state_dict(), path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=f'{path.name} cannot be read as a checkpoint: .*cut off.*: download it again'):
        twlv_mm.get_model('twlv_base', path, **TINY)


def test_damaged_safetensors_file_says_so(tmp_path):
    (tmp_path / 'x.safetensors').write_bytes(b'\xff' * 100)
    with pytest.raises(ValueError, match=r'x.safetensors cannot be read as a checkpoint: it is damaged'):
        twlv_mm.get_model('twlv_base', tmp_path / 'x.safetensors', **TINY)


def test_weights_of_another_family_are_refused_by_its_name(tmp_path):
    tensors, meta = read_golden('vjepa_encoder')
    for name in ('umt_base', 'twlv_large'):
        with pytest.raises(ValueError, match=f'holds the weights of V-JEPA, not those of {name}'):
            official_model(name, tensors, meta, tmp_path)
    with pytest.raises(ValueError, match='holds the weights of UMT, not those of videomae_base'):
        official_model('videomae_base', *read_golden('umt_finetune'), tmp_path)


def test_weights_of_a_published_size_are_refused_by_the_name_of_their_model(tmp_path):
    with torch.device('meta'):
        shapes = {key: value.shape for key, value in twlv_mm.get_model('vjepa_huge').state_dict().items()}
    state = {f'module.backbone.{key}': torch.zeros(1).expand(shape) for key, shape in shapes.items()}
    state['module.backbone.pos_embed'] = state['module.backbone.pos_embed'].flatten(1, 3)
    torch.save(dict(target_encoder=state), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'V-JEPA \(vjepa_huge or vjepa_huge_384\), not those of umt_base'):
        twlv_mm.get_model('umt_base', tmp_path / 'x.pth', **TINY)
    with pytest.raises(ValueError, match=r'It seems to hold those of vjepa_huge or vjepa_huge_384'):
        twlv_mm.get_model('vjepa_large', tmp_path / 'x.pth', **TINY)


@pytest.mark.parametrize(('block', 'message'), [(0, 'block 0 is missing'), (1, 'of 2 blocks, block 1 is missing')])
def test_missing_block_is_reported(block, message, tmp_path):
    tensors, meta = read_golden('vjepa_encoder')
    tensors = {key: value for key, value in tensors.items() if f'.blocks.{block}.' not in key}
    with pytest.raises(ValueError, match=message):
        official_model('vjepa_large', tensors, meta, tmp_path)


def test_several_encoders_in_a_file_are_not_chosen_from(tmp_path):
    state = twlv_mm.get_model('twlv_base', **TINY).state_dict()
    several = {f'{prefix}{key}': value for prefix in ('student.', 'teacher.') for key, value in state.items()}
    torch.save(several, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match="several encoders, below 'student.', 'teacher.'"):
        twlv_mm.get_model('twlv_base', tmp_path / 'x.pth', **TINY)


@pytest.mark.parametrize(('frames', 'size'), [(16, 32), (8, 64)])
def test_table_of_other_frames_or_another_square_is_recognised_and_resized(frames, size, tmp_path):
    tensors, meta = read_golden('umt_finetune')
    other = dict(overrides_of(meta), num_frames=frames, img_size=size)
    tensors['sd/pos_embed'] = twlv_mm.get_model('umt_base', **other).pos_embed.flatten(1, 3)
    model = official_model('umt_base', tensors, meta | other, tmp_path)
    assert torch.equal(model.pos_embed.flatten(1, 3), tensors['sd/pos_embed'])
    if size == 32:
        assert official_model('umt_base', tensors, meta, tmp_path).pos_embed.shape == (1, 8, 2, 2, 48)


def test_table_that_could_be_for_two_sizes_asks_which(tmp_path):
    tensors, meta = read_golden('umt_finetune')
    tensors['sd/pos_embed'] = torch.zeros(1, 32 * 4, 48)
    with pytest.raises(ValueError, match='may be for 32 x 2 x 2 or 8 x 4 x 4: set num_frames and img_size'):
        official_model('umt_base', tensors, meta, tmp_path)


def test_norm_of_a_fine_tuned_model_stays_in_the_optimizer(tmp_path):
    source = twlv_mm.get_model('videomae_base', **TINY)
    state = {re.sub(r'^norm\.', 'fc_norm.', key): value for key, value in source.state_dict().items()}
    torch.save(state, tmp_path / 'x.pth')
    for weights in (tmp_path / 'x.pth', None):  # resumed, and loaded later
        model = twlv_mm.get_model('videomae_base', weights, **TINY)
        before = {id(parameter) for parameter in model.parameters()}
        model.load_state_dict(state)
        assert {id(parameter) for parameter in model.parameters()} == before
        assert model.fc_norm.weight.requires_grad
