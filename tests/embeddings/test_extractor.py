"""From video files to vectors."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import twlv_mm
from twlv_mm.embeddings import Extractor
from twlv_mm.encoders.published_weights import official_weights
from twlv_mm.synthetic import render_clip, write_video

SMALL = 'twlv_small_synthetic'


@pytest.fixture(scope='module')
def encoder():
    torch.manual_seed(7)
    return twlv_mm.get_model(SMALL, frozen=True, allow_random=True)


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    """Five seconds: 40 frames at 8 a second."""
    path = tmp_path_factory.mktemp('videos') / 'video.mp4'
    frames, *_ = render_clip(np.random.default_rng(0), 'train', num_frames=40)
    write_video(str(path), frames, fps=8)
    return str(path)


def test_uniform_embedding_is_one_vector_of_the_whole_video(encoder, video):
    (whole,) = twlv_mm.embed(video, encoder, sampling='uniform')
    assert (whole.start, whole.scope) == (0.0, 'video')
    assert whole.end == pytest.approx(5.0)
    assert whole.vector.shape == (128,)
    assert whole.vector.dtype == np.float32


def test_multi_clip_embedding_is_a_vector_a_clip_and_their_mean(encoder, video):
    *clips, whole = twlv_mm.embed(video, encoder, sampling='multi-clip', clip_seconds=1.0, stride_seconds=0.5)
    assert [clip.start for clip in clips] == [0.5 * i for i in range(9)]
    assert all(clip.end == pytest.approx(clip.start + 1) and clip.scope == 'clip' for clip in clips)
    assert (whole.start, whole.scope) == (0.0, 'video')
    np.testing.assert_allclose(whole.vector, np.mean([clip.vector for clip in clips], axis=0), atol=1e-6)


def test_clips_do_not_depend_on_how_they_are_batched(encoder, video):
    one, many = (
        twlv_mm.embed(video, encoder, sampling='multi-clip', clip_seconds=1.0, batch_size=size) for size in (1, 4)
    )
    np.testing.assert_allclose([e.vector for e in one], [e.vector for e in many], atol=1e-5)


def test_vectors_are_those_of_the_mmaction2_pipeline(encoder, video):
    import mmaction.datasets  # noqa: F401
    from mmengine.dataset import Compose
    from mmengine.registry import MODELS, init_default_scope

    init_default_scope('mmaction')
    pipeline = Compose(
        [
            dict(type='twlv_mm.OpenVideo'),
            dict(type='twlv_mm.EmbeddingSample', num_frames=16, sampling='multi-clip', clip_seconds=1.0),
            dict(type='twlv_mm.DecodeVideo'),
            dict(type='Resize', scale=(-1, 32)),
            dict(type='CenterCrop', crop_size=32),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs'),
        ]
    )
    packed = pipeline(dict(filename=video, start_index=0, modality='RGB', label=0))
    arch = encoder.arch
    preprocessor = MODELS.build(
        dict(type='ActionDataPreprocessor', mean=list(arch.mean), std=list(arch.std), format_shape='NCTHW')
    )
    data = preprocessor(dict(inputs=[packed['inputs']], data_samples=[packed['data_samples']]))
    expected = encoder.embed(data['inputs'][0]).numpy()
    *clips, _ = twlv_mm.embed(video, encoder, sampling='multi-clip', clip_seconds=1.0)
    np.testing.assert_allclose([clip.vector for clip in clips], expected, atol=1e-5)


def test_frames_are_resized_as_the_encoder_wants_it(tmp_path):
    import mmaction.datasets  # noqa: F401
    from mmengine.dataset import Compose
    from mmengine.registry import init_default_scope

    frames, *_ = render_clip(np.random.default_rng(0), 'train', num_frames=16)
    path = str(tmp_path / 'wide.mp4')
    write_video(path, np.concatenate([frames, frames[:, :, ::-1]], axis=2), fps=8)
    sizes = dict(img_size=28, patch_size=14, embed_dims=48, depth=1, num_heads=4, output_dims=8)
    model = twlv_mm.get_model('dfn_huge', frozen=True, allow_random=True, **sizes)
    extractor = Extractor(model, sampling='uniform')
    assert extractor.settings['resize'] == 'squash'
    assert 'resize' not in Extractor(twlv_mm.get_model(SMALL, frozen=True, allow_random=True)).settings

    init_default_scope('mmaction')
    pipeline = [
        dict(type='twlv_mm.OpenVideo'),
        dict(type='twlv_mm.EmbeddingSample', num_frames=16),
        dict(type='twlv_mm.DecodeVideo'),
        dict(type='Resize', scale=(28, 28), keep_ratio=False, interpolation='bicubic'),
    ]
    clip = np.stack(Compose(pipeline)(dict(filename=path, start_index=0, modality='RGB'))['imgs'])
    (whole,), _ = extractor(path)
    np.testing.assert_allclose(whole.vector, extractor.encode(clip[None])[0].cpu(), atol=1e-5)


def test_weights_decide_and_their_absence_is_reported(encoder, video, tmp_path):
    torch.save(encoder.state_dict(), tmp_path / 'encoder.pth')
    (with_weights,) = twlv_mm.embed(video, SMALL, weights=tmp_path / 'encoder.pth', sampling='uniform')
    expected = twlv_mm.embed(video, encoder, sampling='uniform')[0].vector
    np.testing.assert_array_equal(with_weights.vector, expected)
    with pytest.warns(UserWarning, match='twlv_small_synthetic has no weights'):
        (random,) = twlv_mm.embed(video, SMALL, sampling='uniform')
    assert not np.allclose(random.vector, with_weights.vector)


def test_the_random_encoder_is_always_the_same_and_leaves_the_callers_generator_alone(video):
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    with pytest.warns(UserWarning, match='random encoder'):
        first = twlv_mm.embed(video, SMALL)
    assert torch.equal(torch.rand(1), expected)
    with pytest.warns(UserWarning, match='random encoder'):
        np.testing.assert_array_equal(twlv_mm.embed(video, SMALL)[0].vector, first[0].vector)


def test_several_files_give_a_list_each_and_python_samples_as_the_command_does(encoder, video):
    one = twlv_mm.embed(video, encoder)
    assert [item.scope for item in one] == ['clip'] * (len(one) - 1) + ['video']
    assert len(one) > 2
    both = twlv_mm.embed([video, video], encoder)
    assert [len(items) for items in both] == [len(one)] * 2
    np.testing.assert_array_equal(both[1][-1].vector, one[-1].vector)


def test_the_readmes_python_runs_as_it_stands(video, tmp_path, monkeypatch):
    readme = (Path(__file__).parents[2] / 'README.md').read_text(encoding='utf-8')
    (code,) = [block for block in re.findall('```python\n(.*?)```', readme, re.S) if 'twlv_mm.embed' in block]
    shutil.copy(video, tmp_path / 'video.mp4')
    monkeypatch.chdir(tmp_path)
    found = {}
    with pytest.warns(UserWarning, match='rendered shapes'):
        exec(code, found)
    assert found['embeddings'][-1].vector.shape == (128,)


def test_official_weights_are_in_the_package_or_the_error_says_where_to_find_them():
    shipped = twlv_mm.get_model(SMALL, 'official', frozen=True)
    assert not shipped.is_random
    assert re.fullmatch('[0-9a-f]{64}', shipped.weights_sha256)
    named = twlv_mm.get_model(SMALL, official_weights(SMALL))  # as configs name the file
    assert named.pretraining_sets == shipped.pretraining_sets == ('synthetic',)
    with pytest.raises(FileNotFoundError, match='github.com/facebookresearch/jepa .licence there: CC BY-NC'):
        twlv_mm.get_model('vjepa_large', 'official', depth=1)
    with pytest.raises(FileNotFoundError, match='never published'):
        twlv_mm.get_model('twlv_base', 'official', depth=1)


def test_wrong_requests_are_refused_before_a_video_is_opened(encoder):
    with pytest.raises(ValueError, match="'uniform' or 'multi-clip'"):
        Extractor(encoder, sampling='dense')
    with pytest.raises(ValueError, match='must be positive'):
        Extractor(encoder, sampling='multi-clip', clip_seconds=0)
    for given in (dict(clip_seconds=0.5), dict(clip_seconds=0), dict(stride_seconds=1.0)):
        with pytest.raises(ValueError, match="belong to 'multi-clip'"):
            Extractor(encoder, sampling='uniform', **given)
    with pytest.raises(ValueError, match='batch_size=0: must be 1 or more'):
        Extractor(encoder, batch_size=0)
    with pytest.raises(ValueError, match='num_frames=0: must be 1 or more'):
        Extractor(encoder, num_frames=0)
    with pytest.raises(ValueError, match='weights go with a model given by name'):
        Extractor(encoder, 'encoder.pth')
    with pytest.raises(FileNotFoundError, match='no video file at'):
        twlv_mm.embed('none.mp4', encoder)


def test_config_gives_its_encoder_and_its_clips(encoder, video, tmp_path):
    torch.save(encoder.state_dict(), tmp_path / 'encoder.pth')
    (tmp_path / 'config.py').write_text(
        f"encoder_weights = '{tmp_path}/encoder.pth'\nclip_seconds = 1.0\nstride_seconds = 0.5\n"
        f"model = dict(type='Recognizer3D', backbone=dict(type='twlv_mm.VideoViT', arch='{SMALL}', frozen=False))\n"
    )
    extractor = Extractor.from_config(tmp_path / 'config.py', sampling='multi-clip')
    expected = twlv_mm.embed(video, encoder, sampling='multi-clip', clip_seconds=1.0, stride_seconds=0.5)
    np.testing.assert_array_equal([e.vector for e in extractor(video)[0]], [e.vector for e in expected])
    assert not any(parameter.requires_grad for parameter in extractor.model.parameters())
    assert len(Extractor.from_config(tmp_path / 'config.py', sampling='multi-clip', stride_seconds=1.0)(video)[0]) == 6
    with pytest.raises(ValueError, match='clip_seconds=0 .* must be positive'):
        Extractor.from_config(tmp_path / 'config.py', sampling='multi-clip', clip_seconds=0)
    (tmp_path / 'squeezetime.py').write_text(
        "model = dict(backbone=dict(type='twlv_mm.SqueezeTime', widen_factor=0.125, num_frames=8))"
    )
    with pytest.warns(UserWarning, match='squeezetime_r50 has no weights'):
        assert Extractor.from_config(tmp_path / 'squeezetime.py').sampling.num_frames == 8
    (tmp_path / 'swapped.py').write_text("_base_ = './config.py'\nencoder = 'twlv_base'\nencoder_weights = None\n")
    with pytest.raises(ValueError, match=f"says encoder='twlv_base', but its model.backbone is {SMALL}"):
        Extractor.from_config(tmp_path / 'swapped.py')
    (tmp_path / 'probe.py').write_text(
        "_base_ = 'twlv_mm::twlv/k400_linear.py'\nencoder = 'umt_base'\n"
        'encoder_overrides = dict(img_size=32, depth=1, embed_dims=48, num_heads=4)\n'
    )
    with pytest.warns(UserWarning, match='umt_base has no weights'):
        assert Extractor.from_config(tmp_path / 'probe.py').sampling.num_frames == 8
    (tmp_path / 'other.py').write_text("model = dict(backbone=dict(type='ResNet'))")
    with pytest.raises(ValueError, match=r'other\.py names no encoder'):
        Extractor.from_config(tmp_path / 'other.py')


@pytest.mark.parametrize(('name', 'options'), [(SMALL, {}), ('clip_base', dict(img_size=32, depth=1, num_frames=2))])
def test_pooling_is_the_encoders_own_unless_another_is_chosen(video, name, options):
    torch.manual_seed(0)
    model = twlv_mm.get_model(name, frozen=True, allow_random=True, **options)
    own, mean = (twlv_mm.embed(video, model, pooling=pooling)[-1] for pooling in (None, 'mean'))
    assert np.array_equal(own.vector, mean.vector) == (name == SMALL)
    if name == SMALL:
        with pytest.raises(ValueError, match="has no pooling 'class_token'"):
            Extractor(model, pooling='class_token')
    else:
        assert twlv_mm.embed(video, model, pooling='class_token')[-1].vector.shape == (768,)
    with pytest.raises(ValueError, match="has no precision 'int8'; choose from fp32, bf16, fp16"):
        Extractor(model, precision='int8')
    with pytest.raises(ValueError, match="'fp16' is for GPUs"):
        Extractor(model, precision='fp16', device='cpu')
