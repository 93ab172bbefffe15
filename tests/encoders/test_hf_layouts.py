"""Folders of V-JEPA 2, VideoMAE and CLIP in Hugging Face's layout load into our own encoders, which then agree."""

import json
import re

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import twlv_mm
from twlv_mm.encoders import ARCHITECTURES, convert_checkpoint, get_architecture

from .golden import TINY

SIZES = dict(num_hidden_layers=2, num_attention_heads=4)
VIT = dict(SIZES, hidden_size=48, intermediate_size=192)
CLIP = dict(VIT, image_size=32, patch_size=8)
NOT_CLIP = {key: size for key, size in TINY.items() if key != 'tubelet_size'}


def _vjepa2(**more):
    predictor = dict(pred_hidden_size=24, pred_num_attention_heads=2, pred_num_hidden_layers=1)
    sizes = dict(hidden_size=48, crop_size=32, patch_size=8, frames_per_clip=8, num_pooler_layers=1)
    return transformers.VJEPA2Config(**SIZES | sizes | predictor | more)


def _videomae(**more):
    decoder = dict(decoder_hidden_size=16, decoder_num_attention_heads=2, decoder_num_hidden_layers=1)
    return transformers.VideoMAEConfig(**VIT | decoder | dict(image_size=32, patch_size=8, num_frames=8) | more)


def _clip(**more):
    return transformers.CLIPConfig(
        vision_config=CLIP | more,
        text_config=dict(
            **dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=32),
            **dict(bos_token_id=0, eos_token_id=1, pad_token_id=0),
        ),
        projection_dim=20,
    )


# Class of transformers, its configuration, our name for it, what is changed of that.
MODELS = {
    'vjepa2': ('VJEPA2Model', _vjepa2, 'vjepa2_large', TINY),
    'vjepa2_classifier': ('VJEPA2ForVideoClassification', _vjepa2, 'vjepa2_large', TINY),
    'videomae': ('VideoMAEModel', lambda: _videomae(use_mean_pooling=False), 'videomae_base', TINY),
    'videomae_pretraining': (
        'VideoMAEForPreTraining',
        lambda: _videomae(use_mean_pooling=False),
        'videomae_base',
        TINY,
    ),
    'videomae_finetuned': ('VideoMAEForVideoClassification', _videomae, 'videomae_base', TINY),
    'clip': ('CLIPModel', _clip, 'clip_base', TINY | dict(tubelet_size=1, output_dims=20)),
    'clip_vision': (
        'CLIPVisionModelWithProjection',
        lambda: transformers.CLIPVisionConfig(**CLIP, projection_dim=20),
        'dfn_huge',
        TINY | dict(tubelet_size=1, output_dims=20),
    ),
}


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    made = {}

    def get(name):
        if name not in made:
            class_name, config, _, _ = MODELS[name]
            torch.manual_seed(0)
            model = getattr(transformers, class_name)(config()).eval()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.normal_(std=0.2)
            folder = tmp_path_factory.mktemp('models') / name
            model.save_pretrained(folder)
            made[name] = folder, model
        return made[name]

    return get


def theirs(name, model, frames):
    """Tokens and vectors of frames (N, T, 3, H, W), by transformers."""
    if name.startswith('clip'):
        pictures = frames.flatten(0, 1)
        tokens = model.vision_model(pictures, interpolate_pos_encoding=True)
        vectors = model.visual_projection(tokens.pooler_output).unflatten(0, frames.shape[:2]).mean(1)
        tokens = model.vision_model.post_layernorm(tokens.last_hidden_state).unflatten(0, frames.shape[:2])
        return torch.cat([tokens[:, :, 0], tokens[:, :, 1:].flatten(1, 2)], 1), vectors
    if name.startswith('vjepa2'):
        tokens = getattr(model, 'vjepa2', model).get_vision_features(frames)
        return tokens, tokens.mean(1)
    tokens = getattr(model, 'videomae', model)(frames).last_hidden_state
    vectors = model.fc_norm(tokens.mean(1)) if name == 'videomae_finetuned' else tokens.mean(1)
    return tokens, vectors


def other_size(name, model, overrides):
    """The same weights for clips of 48 pixels, of both."""
    if name.startswith('clip'):
        return model, overrides
    config = type(model.config).from_dict(
        model.config.to_dict() | (dict(crop_size=48) if name.startswith('vjepa2') else dict(image_size=48))
    )
    rebuilt = type(model)(config).eval()
    rebuilt.load_state_dict(model.state_dict())
    return rebuilt, overrides | dict(img_size=48)


@pytest.mark.parametrize('name', MODELS)
def test_folder_loads_and_the_encoders_agree(name, folders):
    folder, model = folders(name)
    _, _, arch, overrides = MODELS[name]
    encoder = twlv_mm.get_model(arch, folder, frozen=True, **overrides)
    one_file = twlv_mm.get_model(arch, folder / 'model.safetensors', frozen=True, **overrides)
    assert encoder.weights_sha256 == one_file.weights_sha256
    rebuilt, larger = other_size(name, model, overrides)
    for made, reference, side in (
        (encoder, model, 32),
        (twlv_mm.get_model(arch, folder, frozen=True, **larger), rebuilt, 48),
    ):
        frames = torch.randn(2, 8, 3, side, side)
        with torch.no_grad():
            tokens, vectors = theirs(name, reference, frames)
            for mine, other in (
                (made.tokens(frames.transpose(1, 2)), tokens),
                (made.embed(frames.transpose(1, 2)), vectors),
            ):
                assert mine.shape == other.shape
                assert (mine - other).abs().max() < 2e-5


@pytest.mark.parametrize('name', ['vjepa2', 'videomae_finetuned', 'clip'])
def test_folder_is_read_strictly(name, folders, tmp_path):
    folder, _ = folders(name)
    _, _, arch, overrides = MODELS[name]
    state = load_file(folder / 'model.safetensors')
    file = tmp_path / 'model.safetensors'
    ours = [key for key in state if not key.startswith(('text_model', 'predictor', 'decoder'))]
    third = next(key for key in ours if re.search(r'0\..*(v_proj|value)\.weight', key))
    mlp = next(key for key in ours if re.search(r'0\.(mlp\.fc1|intermediate\.dense)\.weight', key))
    for change, message in (
        (lambda s: s.pop(third), r"Hugging Face's layout, but lacks its tensor blocks\.0\.attn\.v\.weight"),
        (lambda s: s.pop(mlp), r'Missing key: blocks\.0\.mlp\.fc1\.weight'),
        (lambda s: s.update({'surprise.weight': torch.zeros(1)}), r'Unexpected key: surprise\.weight'),
    ):
        changed = {key: value.clone() for key, value in state.items()}
        change(changed)
        save_file(changed, file)
        with pytest.raises(ValueError, match=message):
            twlv_mm.get_model(arch, tmp_path, **overrides)
    with pytest.raises(ValueError, match='holds the weights of (V-JEPA 2|VideoMAE|CLIP)'):
        twlv_mm.get_model('umt_base', folder, **TINY)


def test_old_names_of_biases_are_the_same(folders, tmp_path):
    folder, _ = folders('videomae')
    state = load_file(folder / 'model.safetensors')
    old = {
        key.replace('query.bias', 'q_bias').replace('value.bias', 'v_bias'): value.clone()
        for key, value in state.items()
    }
    assert (set(old) != set(state)) == any(key.endswith('query.bias') for key in state)
    save_file(old, tmp_path / 'x.safetensors')
    one, other = (
        twlv_mm.get_model('videomae_base', path, **TINY).state_dict() for path in (folder, tmp_path / 'x.safetensors')
    )
    assert all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    ('name', 'change', 'message'),
    [
        ('clip', dict(hidden_act='gelu'), "hidden_act is 'gelu', but clip_base has activation='quick_gelu'"),
        ('vjepa2', dict(num_attention_heads=3), 'num_attention_heads is 3, but vjepa2_large has num_heads=4'),
    ],
)
def test_what_only_config_json_tells_is_compared(name, change, message, folders, tmp_path):
    folder, _ = folders(name)
    (tmp_path / 'model.safetensors').symlink_to(folder / 'model.safetensors')
    settings = json.loads((folder / 'config.json').read_text())
    settings.get('vision_config', settings).update(change)
    (tmp_path / 'config.json').write_text(json.dumps(settings))
    _, _, arch, overrides = MODELS[name]
    with pytest.raises(ValueError, match=message):
        twlv_mm.get_model(arch, tmp_path, **overrides)


def test_convert_checkpoint_tells_what_a_folder_holds(folders, monkeypatch):
    folder, _ = folders('videomae_finetuned')
    monkeypatch.setitem(ARCHITECTURES, 'videomae_base', get_architecture('videomae_base', **TINY))
    report = convert_checkpoint(folder)
    assert report.arch == 'videomae_base'
    assert 'none missing, none unexpected' in str(report)
    assert '1 x classifier.weight' in str(report)
    assert re.search(
        r'query\.weight and \S+key\.weight and \S+value\.weight -> blocks\.N\.attn\.qkv\.weight', str(report)
    )
