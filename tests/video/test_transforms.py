"""Our transforms inside mmaction2's pipelines."""

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope

from twlv_mm.registry import MODELS
from twlv_mm.video import crop_offsets, frames_of_windows, open_video, resize_and_crop, sample_windows

from .conftest import grey_of, write_numbered


@pytest.fixture(autouse=True)
def _mmaction_scope():
    import mmaction.datasets  # noqa: F401

    init_default_scope('mmaction')


def run(path, *transforms):
    return Compose([dict(type='twlv_mm.OpenVideo'), *transforms])(dict(filename=path, start_index=0, modality='RGB'))


@pytest.mark.parametrize('sampling', ['uniform', 'multi-clip'])
def test_pipeline_gives_the_clips_that_embed_gives(variable_video, sampling):
    options = dict(sampling=sampling, clip_seconds=0.5, stride_seconds=0.25)
    results = run(
        variable_video,
        dict(type='twlv_mm.EmbeddingSample', num_frames=8, **options),
        dict(type='twlv_mm.DecodeVideo'),
        dict(type='twlv_mm.ResizeCrop', size=32),
        dict(type='FormatShape', input_format='NCTHW'),
    )
    with open_video(variable_video) as reader:
        windows = sample_windows(reader.frame_times, **options)
        indices = frames_of_windows(reader.frame_times, windows, 8)
        frames = resize_and_crop(reader.read(indices.reshape(-1)), 32)
    clips = frames.reshape(len(windows), 8, 32, 32, 3).transpose(0, 4, 1, 2, 3)
    assert len(windows) == (7 if sampling == 'multi-clip' else 1)
    np.testing.assert_array_equal(results['imgs'], clips)
    np.testing.assert_array_equal(results['clip_times'], windows)


def test_odd_resolutions_are_resized_by_the_short_side(tmp_path):
    path = write_numbered(tmp_path / 'odd.mp4', np.arange(8) / 8, size=(322, 178))
    for transform, shape in [
        (dict(type='CenterCrop', crop_size=224), (1, 3, 8, 224, 224)),
        (dict(type='ThreeCrop', crop_size=224), (3, 3, 8, 224, 224)),
        (dict(type='twlv_mm.LongSideCrops', size=224, num_crops=5), (5, 3, 8, 224, 224)),
    ]:
        results = run(
            path,
            dict(type='twlv_mm.EmbeddingSample', num_frames=8),
            dict(type='twlv_mm.DecodeVideo'),
            dict(type='Resize', scale=(-1, 224)),
            transform,
            dict(type='FormatShape', input_format='NCTHW'),
        )
        assert results['imgs'].shape == shape


def test_views_are_m_crops_by_n_clips(constant_video):
    results = run(
        constant_video,
        dict(type='twlv_mm.SampleClips', num_frames=4, frame_interval=2, num_clips=3, test_mode=True),
        dict(type='twlv_mm.DecodeVideo'),
        dict(type='Resize', scale=(-1, 32)),
        dict(type='twlv_mm.LongSideCrops', size=32, num_crops=2),
        dict(type='FormatShape', input_format='NCTHW'),
    )
    views = results['imgs']
    assert views.shape == (2 * 3, 3, 4, 32, 32)
    firsts = [grey_of(view[:, 0]) for view in views]
    assert firsts[:3] == firsts[3:]  # crops-major: both crops see the same three clips
    assert np.ptp(np.diff(firsts[:3])) <= 1  # at equal intervals
    assert firsts[0] < firsts[1] < firsts[2]


@pytest.mark.parametrize('shape', [(32, 70), (70, 32)])
def test_crops_are_spread_evenly_along_the_long_side(shape):
    from twlv_mm.video import LongSideCrops

    image = np.arange(shape[0] * shape[1]).reshape(shape)[..., None].repeat(3, -1)
    results = LongSideCrops(size=32, num_crops=3)(dict(imgs=[image]))
    assert results['crop_bbox'][:, :2].max(axis=1).tolist() == [0, 19, 38]
    for crop, (left, top, right, bottom) in zip(results['imgs'], results['crop_bbox'], strict=True):
        np.testing.assert_array_equal(crop, image[top:bottom, left:right])


def test_three_crops_are_those_of_mmaction2():
    from mmaction.datasets.transforms import ThreeCrop

    from twlv_mm.video import LongSideCrops

    image = np.random.default_rng(0).integers(0, 256, (32, 72, 3), dtype=np.uint8)
    ours = LongSideCrops(size=32, num_crops=3)(dict(imgs=[image]))['imgs']
    theirs = ThreeCrop(crop_size=32)(dict(imgs=[image], modality='RGB'))['imgs']
    for ours_index, theirs_index in enumerate([0, 2, 1]):  # theirs: left, right, middle
        np.testing.assert_array_equal(ours[ours_index], theirs[theirs_index])


def test_one_crop_is_the_centre():
    assert crop_offsets(340, 224, 1) == [58]
    assert crop_offsets(340, 224, 4) == [0, 38, 77, 116]


def test_frames_smaller_than_a_crop_are_a_clear_error():
    from twlv_mm.video import LongSideCrops

    with pytest.raises(ValueError, match="resize='short_side'"):
        LongSideCrops()(dict(imgs=[np.zeros((100, 300, 3), np.uint8)]))


@pytest.mark.parametrize('test_mode', [True, False])
@pytest.mark.parametrize('total', [1, 5, 15, 60, 61, 64, 300])
@pytest.mark.parametrize(('frames', 'interval', 'clips'), [(16, 4, 1), (16, 4, 8), (8, 1, 2), (1, 1, 12)])
def test_clips_are_those_of_mmaction2(frames, interval, clips, total, test_mode):
    from mmaction.datasets.transforms import SampleFrames

    from twlv_mm.video import SampleClips

    theirs = SampleFrames(frames, interval, clips, test_mode=test_mode)
    for seed in range(3):
        np.random.seed(seed)
        expected = theirs(dict(total_frames=total, start_index=0))
        np.random.seed(seed)
        ours = SampleClips(frames, interval, clips, test_mode)(dict(total_frames=total, start_index=0))
        np.testing.assert_array_equal(ours['frame_inds'], expected['frame_inds'])
        assert {key: ours[key] for key in ('clip_len', 'num_clips', 'frame_interval')} == {
            key: expected[key] for key in ('clip_len', 'num_clips', 'frame_interval')
        }


def test_pixels_are_those_of_mmaction2(tmp_path):
    path = write_numbered(tmp_path / 'wide.mp4', np.arange(40) / 25, size=(322, 178))
    sampling = dict(type='SampleFrames', clip_len=8, frame_interval=2, num_clips=2, test_mode=True)
    ours = run(path, dict(sampling), dict(type='twlv_mm.DecodeVideo'), dict(type='twlv_mm.ResizeCrop', size=64))
    theirs = Compose(
        [
            dict(type='DecordInit'),
            sampling,
            dict(type='DecordDecode'),
            dict(type='Resize', scale=(-1, 64)),
            dict(type='CenterCrop', crop_size=64),
        ]
    )(dict(filename=path, start_index=0, modality='RGB'))
    np.testing.assert_array_equal(ours['imgs'], theirs['imgs'])
    assert ours['decoder'].startswith('av ')
    assert (ours['total_frames'], round(ours['avg_fps'])) == (40, 25)


def test_embedding_sample_names_what_to_put_before_it(constant_video):
    with pytest.raises(TypeError, match=r'put twlv_mm\.OpenVideo before it'):
        Compose([dict(type='DecordInit'), dict(type='twlv_mm.EmbeddingSample')])(dict(filename=constant_video))


def test_a_config_of_mmaction2_with_its_own_transforms_works_with_our_backbone(tmp_path, constant_video):
    (tmp_path / 'theirs.py').write_text("""
custom_imports = dict(imports=['twlv_mm'])
default_scope = 'mmaction'
model = dict(
    type='Recognizer3D',
    backbone=dict(type='twlv_mm.VideoViT', arch='twlv_base', img_size=32, num_frames=8, embed_dims=48, depth=1,
                  num_heads=4),
    cls_head=dict(type='I3DHead', num_classes=3, in_channels=48, average_clips='prob'),
    data_preprocessor=dict(type='ActionDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, format_shape='NCTHW'))
test_pipeline = [
    dict(type='DecordInit'),
    dict(type='SampleFrames', clip_len=8, frame_interval=2, num_clips=2, test_mode=True),
    dict(type='DecordDecode'),
    dict(type='Resize', scale=(-1, 32)),
    dict(type='CenterCrop', crop_size=32),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs')]
""")
    cfg = Config.fromfile(tmp_path / 'theirs.py')
    item = Compose(cfg.test_pipeline)(dict(filename=constant_video, label=1, start_index=0, modality='RGB'))
    assert item['inputs'].shape == (2, 3, 8, 32, 32)
    (sample,) = MODELS.build(cfg.model).eval().test_step(pseudo_collate([item]))
    assert sample.pred_score.shape == (3,)
    assert sample.pred_score.sum().item() == pytest.approx(1)


@pytest.mark.parametrize('interpolation', ['nearest', 'bilinear', 'bicubic', 'area', 'lanczos'])
def test_every_interpolation_of_a_description_resizes(interpolation):
    frame = np.full((30, 50, 3), 7, np.uint8)
    for resize in ('short_side', 'squash'):
        square = resize_and_crop([frame], 16, resize, interpolation)
        assert square.shape == (1, 16, 16, 3)
        assert (square == 7).all()
