"""``hf:``: what transformers' models give is what the encoders of them give, and their files are read strictly."""

import json
import math
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

import twlv_mm

from .hf_folders import MODELS, save
from .test_sources import check

# What transformers itself makes of frames (N, T, 3, H, W): tokens in its own order, and one vector a clip. None: the
# mean of the tokens. Written against its public interface, apart from the encoders.
PER_FRAME = [name for name in MODELS if name.startswith(('clip', 'siglip', 'dino', 'aimv2'))]
ANY_SIZE = [
    *('timesformer', 'videoprism', 'videoprism_clip', 'x_clip', 'clip', 'clip_vision', 'siglip', 'siglip2'),
    *('dinov2', 'dinov2_with_registers', 'dinov3_vit', 'aimv2_native'),
]
BUILT = ['vjepa2', 'videomae', 'videomae_finetuned', 'videomae_first_token']
NATIVE = ['vivit', 'aimv2', 'aimv2_text']


def theirs(name, model, frames):
    """Tokens (N, L, D) in the order of an encoder, and vectors (N, D'), by transformers."""
    clips, time, _, height, width = frames.shape
    if name in PER_FRAME:
        tokens, vectors = _of_pictures(name, model, frames.flatten(0, 1))
        class_tokens = tokens.shape[1] - height * width // 64
        tokens = tokens.unflatten(0, (clips, time))
        parts = tokens[:, :, :class_tokens], tokens[:, :, class_tokens:]
        return torch.cat([part.flatten(1, 2) for part in parts], 1), vectors.unflatten(0, (clips, time)).mean(1)
    if name == 'vjepa2':
        tokens = model.get_vision_features(frames)
    elif name == 'videomae':
        tokens = model.videomae(frames).last_hidden_state
    elif name in ('videomae_finetuned', 'videomae_first_token'):
        tokens = model.videomae(frames).last_hidden_state
        return tokens, _before(model.classifier, lambda: model(frames))
    elif name == 'vivit':
        return model.vivit(frames).last_hidden_state, _before(model.classifier, lambda: model(frames))
    elif name == 'timesformer':
        tokens = model.timesformer(frames).last_hidden_state
        places = height * width // 64
        order = [0] + [1 + place * time + step for step in range(time) for place in range(places)]
        return tokens[:, order], _before(model.classifier, lambda: model(frames))
    elif name == 'videoprism':
        tokens = model(frames, interpolate_pos_encoding=True).last_hidden_state
    elif name == 'videoprism_clip':
        found = model.get_video_features(frames, interpolate_pos_encoding=True)
        return found.last_hidden_state, found.pooler_output.flatten(1)
    elif name == 'x_clip':
        found = model.get_video_features(frames, interpolate_pos_encoding=True)
        tokens = model.vision_model.post_layernorm(found.last_hidden_state).unflatten(0, (clips, time))
        return torch.cat([tokens[:, :, 0], tokens[:, :, 1:].flatten(1, 2)], 1), found.pooler_output
    return tokens, tokens.mean(1)


def _of_pictures(name, model, pictures):
    if name == 'clip':
        found = model.vision_model(pictures, interpolate_pos_encoding=True)
        vectors = model.get_image_features(pictures, interpolate_pos_encoding=True).pooler_output
        return model.vision_model.post_layernorm(found.last_hidden_state), vectors
    if name == 'clip_vision':
        found = model(pictures, interpolate_pos_encoding=True)
        return model.post_layernorm(found.last_hidden_state), found.pooler_output
    if name == 'siglip':
        found = model.vision_model(pictures, interpolate_pos_encoding=True)
    elif name == 'siglip2':
        # Its image processor's order, which needs torchvision: row, column, channel of a patch.
        patches = pictures.unfold(2, 8, 8).unfold(3, 8, 8).permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(1, 2)
        sizes = torch.tensor([[side // 8 for side in pictures.shape[2:]]]).expand(len(pictures), -1)
        found = model.vision_model(patches, torch.ones(patches.shape[:2]), sizes)
    elif name == 'aimv2_text':
        found = model.vision_model(pictures)
        return found.last_hidden_state, model.get_image_features(pictures).pooler_output
    else:
        found = getattr(model, 'dinov2', model)(pictures)
    tokens = found.last_hidden_state
    registers = getattr(model.config, 'num_register_tokens', 0)
    tokens = torch.cat([tokens[:, :1], tokens[:, 1 + registers :]], 1) if registers else tokens
    return tokens, tokens.mean(1) if found.pooler_output is None else found.pooler_output


def _before(layer, run):
    """What goes into a layer, a classifier."""
    kept = []
    hook = layer.register_forward_pre_hook(lambda _, args: kept.append(args[0]))
    run()
    hook.remove()
    return kept[0]


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    """Name -> folder and model, made when asked for."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp('models') / name
            made[name] = folder, save(name, folder)
        return made[name]

    return get


def largest(mine, other):
    assert mine.shape == other.shape
    return (mine - other).abs().max().item()


def compare(name, encoder, model, frames):
    with torch.no_grad():
        video = frames.transpose(1, 2)
        tokens, vectors = theirs(name, model, frames)
        assert largest(encoder.tokens(video), tokens) < 2e-5
        assert largest(encoder.embed(video), vectors) < 2e-5
        grid = encoder(video).shape[2:]
        patches = math.prod(grid)
        assert largest(encoder(video).flatten(2).transpose(1, 2), tokens[:, -patches:]) < 2e-5


@pytest.mark.parametrize('name', MODELS)
def test_encoder_gives_what_transformers_gives(name, folders):
    folder, model = folders(name)
    spec = twlv_mm.describe(f'hf:{folder}')
    encoder = twlv_mm.get_model(f'hf:{folder}', frozen=True)
    assert encoder.spec == spec
    assert spec.name == name
    assert (spec.img_size, spec.per_frame) == (32, name in PER_FRAME)
    mean, std = (25.5, 51, 76.5), (127.5, 63.75, 51)
    if name == 'vivit':  # to -1 ... 1, then by mean and std
        mean, std = (140.25, 153, 165.75), (63.75, 31.875, 25.5)
    if name.startswith('videoprism'):  # to 0 ... 1
        mean, std = (0, 0, 0), (255, 255, 255)
    assert spec.mean == pytest.approx(mean)
    assert spec.std == pytest.approx(std)
    assert len(encoder.weights_sha256) == 64
    time = 2 if name in PER_FRAME else spec.num_frames
    compare(name, encoder, model, torch.randn(2, time, 3, 32, 32))
    check(encoder)

    if name in ANY_SIZE:
        compare(name, encoder, model, torch.randn(1, time, 3, 48, 48))
    elif name in BUILT:
        other = twlv_mm.get_model(f'hf:{folder}', img_size=48, num_frames=8, frozen=True)
        assert other.spec.grid == (4, 6, 6)
        config = model.config.__class__.from_dict(
            model.config.to_dict() | (dict(crop_size=48) if name == 'vjepa2' else dict(image_size=48, num_frames=8))
        )
        rebuilt = type(model)(config).eval()
        rebuilt.load_state_dict(model.state_dict())
        compare(name, other, rebuilt, torch.randn(1, 8, 3, 48, 48))
    if name in BUILT + NATIVE:
        with pytest.raises(
            ValueError, match=r'expects images of 32 x 32 pixels, not 48 x 48: (build it|its positions)'
        ):
            encoder(torch.randn(1, 3, time, 48, 48))
    if name in NATIVE:
        with pytest.raises(ValueError, match='has positions for img_size=32 only, not for 48'):
            twlv_mm.describe(f'hf:{folder}', img_size=48)


@pytest.mark.parametrize('name', ['timesformer', 'videoprism', 'videoprism_clip'])
def test_clips_of_other_lengths_are_what_transformers_makes_of_them(name, folders):
    folder, model = folders(name)
    encoder = twlv_mm.get_model(f'hf:{folder}', frozen=True)
    frames = torch.randn(1, 6, 3, 32, 32)
    if name == 'timesformer':
        model.config.num_frames = 6
    compare(name, encoder, model, frames)
    model.config.num_frames = 4


def test_sharded_pickled_and_half_precision_weights_are_the_same(folders, tmp_path):
    folder, model = folders('clip')
    video = torch.randn(1, 3, 2, 32, 32)
    with torch.no_grad():
        expected = twlv_mm.get_model(f'hf:{folder}', frozen=True).embed(video)
        shards = tmp_path / 'shards'
        save('clip', shards, shard='20kB')
        assert len(list(shards.glob('model-*.safetensors'))) > 2
        encoder = twlv_mm.get_model(f'hf:{shards}', frozen=True)
        assert torch.equal(encoder.embed(video), expected)
        assert encoder.weights_sha256 != twlv_mm.get_model(f'hf:{folder}').weights_sha256
        assert torch.equal(twlv_mm.get_model(f'hf:{folder}', weights=shards, frozen=True).embed(video), expected)

        pickled = tmp_path / 'pickled'
        pickled.mkdir()
        for file in folder.glob('*.json'):
            (pickled / file.name).write_text(file.read_text())
        torch.save(model.state_dict(), pickled / 'pytorch_model.bin')
        assert torch.equal(twlv_mm.get_model(f'hf:{pickled}', frozen=True).embed(video), expected)

        half = tmp_path / 'half.safetensors'
        save_file({key: value.half().contiguous() for key, value in model.state_dict().items()}, half)
        encoder = twlv_mm.get_model(f'hf:{folder}', weights=half)
        assert next(encoder.parameters()).dtype == torch.float32

        next(shards.glob('model-*.safetensors')).unlink()
        with pytest.raises(FileNotFoundError, match='which is not there'):
            twlv_mm.get_model(f'hf:{shards}')


def test_own_checkpoint_of_such_an_encoder_loads(folders, tmp_path):
    folder, _ = folders('dinov3_vit')
    source, video = f'hf:{folder}', torch.randn(1, 3, 2, 32, 32)
    trained = twlv_mm.get_model(source)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter += 0.01
        state = {f'backbone.{key}': value for key, value in trained.state_dict().items()}
        torch.save(dict(state_dict=dict(state, **{'cls_head.weight': torch.zeros(1)})), tmp_path / 'x.pth')
        encoder = twlv_mm.get_model(source, weights=tmp_path / 'x.pth', frozen=True)
        assert torch.equal(encoder.embed(video), trained.eval().embed(video))


@pytest.mark.parametrize('container', [None, 'model'])
def test_weights_saved_by_a_training_of_ones_own_load(container, folders, tmp_path):
    folder, model = folders('dinov3_vit')
    encoder, video = twlv_mm.get_model(f'hf:{folder}', frozen=True), torch.randn(1, 3, 2, 32, 32)
    for state in (model.state_dict(), encoder.state_dict()):
        state = {f'module.{key}': value for key, value in state.items()}
        torch.save({container: state} if container else state, tmp_path / 'x.pth')
        again = twlv_mm.get_model(f'hf:{folder}', tmp_path / 'x.pth', frozen=True)
        assert torch.equal(again.embed(video), encoder.embed(video))


def test_weights_are_checked_key_by_key(folders, tmp_path):
    folder, _ = folders('vivit')
    state = load_file(folder / 'model.safetensors')
    for change, message in (
        (lambda s: s.pop('vivit.layernorm.weight'), 'Missing key: layernorm.weight'),
        (lambda s: s.update({'vivit.surprise': torch.zeros(1)}), 'Unexpected key: .*surprise'),
        (lambda s: s.update({'vivit.embeddings.cls_token': torch.zeros(1, 1, 5)}), r'cls_token is \(1, 1, 5\) in'),
        (lambda s: s['vivit.layernorm.weight'].fill_(math.nan), 'NaN, infinity'),
    ):
        changed = {key: value.clone() for key, value in state.items()}
        change(changed)
        save_file(changed, tmp_path / 'x.safetensors')
        with pytest.raises(ValueError, match=f'(?s)does not hold the weights of vivit:.*{message}'):
            twlv_mm.get_model(f'hf:{folder}', weights=tmp_path / 'x.safetensors')


@pytest.mark.parametrize(
    ('file', 'change', 'message'),
    [
        ('config.json', dict(num_attention_heads=1), 'num_attention_heads is 1, but hf:.* has 2: use hf:'),
        ('config.json', dict(hidden_act='relu'), "hidden_act is 'relu', but hf:"),
        ('preprocessor_config.json', dict(image_std=[0.5] * 3), 'std is .*, but hf:'),
    ],
)
def test_weights_of_another_folder_are_compared_in_what_shapes_do_not_show(file, change, message, folders, tmp_path):
    folder, _ = folders('videomae')
    other = tmp_path / 'other'
    shutil.copytree(folder, other)
    assert twlv_mm.get_model(f'hf:{folder}', weights=other).weights_sha256
    (other / file).write_text(json.dumps(json.loads((other / file).read_text()) | change))
    with pytest.raises(ValueError, match=message):
        twlv_mm.get_model(f'hf:{folder}', weights=other)


def test_without_weights_the_folder_gives_a_random_encoder_that_stays_unused_when_frozen(folders, tmp_path):
    folder, _ = folders('vjepa2')
    (tmp_path / 'config.json').write_text((folder / 'config.json').read_text())
    with pytest.raises(RuntimeError, match='has no weights'):
        twlv_mm.get_model(f'hf:{tmp_path}', frozen=True)(torch.randn(1, 3, 4, 32, 32))
    spec = twlv_mm.describe(f'hf:{tmp_path}', pretraining_sets=['ssv2'])
    assert spec.mean == pytest.approx((123.675, 116.28, 103.53))
    assert spec.pretraining_sets == ('ssv2',)


@pytest.mark.parametrize(
    ('file', 'change', 'message'),
    [
        ('config', dict(model_type='bert'), "model_type 'bert' is not supported, only vjepa2, videomae"),
        ('config', dict(model_type=['vjepa2']), 'is not supported'),
        ('config', dict(hidden_size='a'), 'hidden_size'),
        ('config', dict(hidden_size=10**9), 'hidden_size: 1000000000 is not a whole number from 0 to 131072'),
        ('config', dict(num_hidden_layers=100000), 'num_hidden_layers'),
        ('config', dict(num_frames=0), 'cannot be cut into'),
        ('config', dict(image_size=[32, 48]), 'is not square'),
        ('config', dict(num_attention_heads=7), 'cannot build|not a multiple'),
        ('config', dict(hidden_act='os.system'), 'cannot build'),
        ('preprocessor_config', dict(image_mean=[0.5, 'x', 0.5]), 'image_mean'),
        ('preprocessor_config', dict(image_std=[0.5, 0, 0.5]), 'image_std'),
        ('preprocessor_config', dict(do_rescale=False), 'preprocessor_config.json: do_rescale is off'),
        ('preprocessor_config', dict(resample=9), 'resample 9 is not one of'),
        ('preprocessor_config', dict(size={'shortest_edge': -1}), 'size'),
    ],
)
def test_unsound_json_is_refused_with_its_place(file, change, message, folders, tmp_path):
    folder, _ = folders('videomae')
    for path in folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    path = tmp_path / f'{file}.json'
    content = json.loads(path.read_text()) | change
    path.unlink()
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        twlv_mm.get_model(f'hf:{tmp_path}')


def test_nothing_in_config_json_makes_transformers_fetch_or_run_code(folders, tmp_path):
    folder, model = folders('vjepa2')
    (tmp_path / 'model.safetensors').symlink_to(folder / 'model.safetensors')
    (tmp_path / 'evil.py').write_text('raise SystemExit')
    content = json.loads((folder / 'config.json').read_text()) | dict(
        auto_map={'AutoModel': 'evil.Model', 'AutoConfig': 'evil.Config'},
        attn_implementation='somebody/kernel',
        _attn_implementation='somebody/kernel',
        quantization_config=dict(quant_method='bitsandbytes', load_in_8bit=True),
        dtype='float16',
    )
    (tmp_path / 'config.json').write_text(json.dumps(content))
    compare('vjepa2', twlv_mm.get_model(f'hf:{tmp_path}', frozen=True), model, torch.randn(1, 4, 3, 32, 32))


def test_missing_files_are_reported(tmp_path, monkeypatch):
    import huggingface_hub

    def no_network(*args, **kwargs):
        raise huggingface_hub.errors.LocalEntryNotFoundError('no network')

    monkeypatch.setattr(huggingface_hub, 'snapshot_download', no_network)
    with pytest.raises(ValueError, match=r'folder owner/name does not exist, and the repository .* no network'):
        twlv_mm.describe('hf:owner/name')
    with pytest.raises(ValueError, match='folder nowhere does not exist'):
        twlv_mm.describe('hf:nowhere')
    with pytest.raises(ValueError, match=r'has no config\.json'):
        twlv_mm.describe(f'hf:{tmp_path}')
    (tmp_path / 'config.json').write_text('{"model_type": "vjepa2"}')
    with pytest.raises(TypeError, match='has no setting colour; these can be set: img_size, num_frames'):
        twlv_mm.describe(f'hf:{tmp_path}', colour=1)


def test_repository_in_the_cache_is_used_without_asking(folders, tmp_path, monkeypatch):
    import huggingface_hub

    cached = tmp_path / 'models--owner--my-dino' / 'snapshots' / 'abc'
    cached.parent.mkdir(parents=True)
    cached.symlink_to(folders('dinov2')[0])

    def download(name, allow_patterns, local_files_only=False):
        assert (name, local_files_only) == ('owner/my-dino', True)
        return str(cached)

    monkeypatch.setattr(huggingface_hub, 'snapshot_download', download)
    assert twlv_mm.get_model('hf:owner/my-dino').spec.name == 'my-dino'
    assert twlv_mm.describe(f'hf:{cached}').name == 'my-dino'


def test_videos_are_embedded_with_the_weights_of_the_folder_and_no_warning(folders, recwarn):
    from twlv_mm.embeddings.extractor import frozen_encoder

    encoder = frozen_encoder(f'hf:{folders("siglip")[0]}', None)
    assert len(encoder.weights_sha256) == 64
    assert not [warning for warning in recwarn if 'random encoder' in str(warning.message)]


@pytest.mark.parametrize('name', ['vjepa2', 'clip'])
def test_recomputing_blocks_changes_no_gradient(name, folders):
    source = f'hf:{folders(name)[0]}'
    video, gradients = torch.randn(1, 3, 4, 32, 32), []
    for with_cp in (False, True):
        encoder = twlv_mm.get_model(source, with_cp=with_cp).train()
        encoder.embed(video).square().sum().backward()
        gradients.append([parameter.grad for parameter in encoder.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_on_the_meta_device_nothing_is_loaded(folders):
    source = f'hf:{folders("vjepa2")[0]}'
    with torch.device('meta'):
        encoder = twlv_mm.get_model(source)
    assert {parameter.device.type for parameter in encoder.parameters()} == {'meta'}
    assert encoder.weights_sha256 is None


def test_benchmark_sizes_any_source(folders):
    from twlv_mm.encoders.speed import encoder_size

    size = encoder_size(f'hf:{folders("videoprism_clip")[0]}')
    assert (size['frames'], size['pixels'], size['tokens']) == (4, 32, 64)
    assert size['gflop'] > 0
