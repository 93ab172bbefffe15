"""RandAugment: its operations are PIL's, and the same for all frames of a clip."""

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from PIL import Image, ImageEnhance, ImageOps

import twlv_mm.video.random_erasing  # noqa: F401  registers it
from twlv_mm.video.rand_augment import OPERATIONS, RandAugment

FILL = (128, 128, 128)

# At magnitude 7. Angles, shears and factors are written out; a sign turns them about.
PIL_OPERATIONS = {
    'AutoContrast': lambda picture, sign: ImageOps.autocontrast(picture),
    'Equalize': lambda picture, sign: ImageOps.equalize(picture),
    'Invert': lambda picture, sign: ImageOps.invert(picture),
    'Rotate': lambda picture, sign: picture.rotate(21 * sign, resample=Image.Resampling.BICUBIC, fillcolor=FILL),
    'PosterizeIncreasing': lambda picture, sign: ImageOps.posterize(picture, 2),
    'SolarizeIncreasing': lambda picture, sign: ImageOps.solarize(picture, 77),
    'SolarizeAdd': lambda picture, sign: picture.point([min(i + 77, 255) if i < 128 else i for i in range(256)] * 3),
    'ColorIncreasing': lambda picture, sign: ImageEnhance.Color(picture).enhance(1 + 0.63 * sign),
    'ContrastIncreasing': lambda picture, sign: ImageEnhance.Contrast(picture).enhance(1 + 0.63 * sign),
    'BrightnessIncreasing': lambda picture, sign: ImageEnhance.Brightness(picture).enhance(1 + 0.63 * sign),
    'SharpnessIncreasing': lambda picture, sign: ImageEnhance.Sharpness(picture).enhance(1 + 0.63 * sign),
    'ShearX': lambda picture, sign: affine(picture, 1, 0.21 * sign, 0, 0, 1, 0),
    'ShearY': lambda picture, sign: affine(picture, 1, 0, 0, 0.21 * sign, 1, 0),
    'TranslateXRel': lambda picture, sign: affine(picture, 1, 0, 0.315 * sign * picture.width, 0, 1, 0),
    'TranslateYRel': lambda picture, sign: affine(picture, 1, 0, 0, 0, 1, 0.315 * sign * picture.height),
}

EXACT = {'AutoContrast', 'Equalize', 'Invert', 'PosterizeIncreasing', 'SolarizeIncreasing', 'SolarizeAdd'}


def affine(picture, *matrix):
    return picture.transform(
        picture.size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BICUBIC, fillcolor=FILL
    )


def noise(*shape, lowest=0, highest=256, seed=0):
    return np.random.default_rng(seed).integers(lowest, highest, shape, dtype=np.uint8)


def augment(images, seed=0, num_clips=None, **options):
    np.random.seed(seed)
    results = dict(imgs=images) if num_clips is None else dict(imgs=images, num_clips=num_clips)
    return RandAugment(**options)(results)['imgs']


def test_there_are_the_15_operations_of_the_recipe():
    assert set(OPERATIONS) == set(PIL_OPERATIONS)


@pytest.mark.parametrize('sign', [1, -1])
@pytest.mark.parametrize('name', PIL_OPERATIONS)
def test_operation_is_that_of_pil(name, sign):
    # Frames of different contrast: what is measured must be measured in each of them.
    clip = np.stack([noise(37, 52, 3), noise(37, 52, 3, lowest=60, highest=90, seed=1)])
    before = clip.copy()
    ours = OPERATIONS[name](clip, 0.7 * sign)
    theirs = np.stack([PIL_OPERATIONS[name](Image.fromarray(frame), sign) for frame in clip])
    assert ours.dtype == np.uint8
    assert np.abs(ours.astype(int) - theirs).max() <= (0 if name in EXACT else 1)
    assert np.abs(ours.astype(int) - clip).max() > 20  # it does something
    np.testing.assert_array_equal(clip, before)


@pytest.mark.parametrize('name', ['AutoContrast', 'Equalize', 'ContrastIncreasing', 'ColorIncreasing', 'Rotate'])
def test_evenly_spaced_frames_are_not_a_fault(name):
    clip = np.full((1, 9, 12, 3), 70, np.uint8)
    theirs = PIL_OPERATIONS[name](Image.fromarray(clip[0]), 1)
    assert np.abs(OPERATIONS[name](clip, 0.7)[0].astype(int) - np.asarray(theirs)).max() <= 1


@pytest.mark.parametrize(
    'name', sorted(set(PIL_OPERATIONS) - {'AutoContrast', 'Equalize', 'Invert', 'PosterizeIncreasing'})
)
def test_operation_without_strength_changes_nothing(name):
    clip = noise(2, 20, 30, 3)
    np.testing.assert_array_equal(OPERATIONS[name](clip, 0.0), clip)


def test_strongest_posterization_leaves_black():
    assert OPERATIONS['PosterizeIncreasing'](noise(1, 8, 8, 3), 1.0).max() == 0


@pytest.mark.parametrize('seed', range(20))
def test_all_frames_of_a_clip_are_treated_alike(seed):
    frame = noise(24, 32, 3)
    images = augment([frame] * 4, seed, prob=1.0)
    for image in images[1:]:
        np.testing.assert_array_equal(image, images[0])


def test_each_clip_of_a_sample_has_operations_of_its_own():
    frame = noise(24, 32, 3)
    images = augment([frame] * 6, num_clips=2, prob=1.0)
    np.testing.assert_array_equal(images[0], images[2])
    np.testing.assert_array_equal(images[3], images[5])
    assert np.abs(images[2].astype(int) - images[3]).max() > 20


def test_seed_of_numpy_decides():
    frames = list(noise(3, 24, 32, 3))
    np.testing.assert_array_equal(augment(frames, 5), augment(frames, 5))
    assert len({np.stack(augment(frames, seed)).tobytes() for seed in range(8)}) >= 6


def test_frames_keep_their_form_and_the_input_is_not_touched():
    frames = list(noise(3, 25, 33, 3))
    before = np.stack(frames)
    for seed in range(20):
        images = augment(frames, seed)
        assert len(images) == 3
        assert {(image.shape, image.dtype, image.flags.c_contiguous) for image in images} == {
            ((25, 33, 3), np.dtype(np.uint8), True)
        }
        assert not any(np.shares_memory(image, frame) for image in images for frame in frames)
    np.testing.assert_array_equal(np.stack(frames), before)


def test_probability_zero_copies():
    frames = list(noise(3, 24, 32, 3))
    images = augment(frames, prob=0.0)
    np.testing.assert_array_equal(images, frames)
    assert not any(np.shares_memory(image, frame) for image, frame in zip(images, frames, strict=True))


@pytest.fixture
def drawn(monkeypatch):
    """Calls of operations, (name, strength), instead of their work."""
    calls = []

    def record(name):
        return lambda clip, strength: calls.append((name, strength)) or clip

    for name in OPERATIONS:
        monkeypatch.setitem(OPERATIONS, name, record(name))
    return calls


def test_operations_are_drawn_evenly_half_of_them_applied(drawn):
    frame, clips = np.zeros((4, 4, 3), np.uint8), 3000
    augment([frame] * clips, num_clips=clips)
    names, strengths = [name for name, _ in drawn], np.array([strength for _, strength in drawn])
    assert len(drawn) == pytest.approx(clips * 4 * 0.5, rel=0.05)
    shares = [names.count(name) / len(names) for name in OPERATIONS]
    assert shares == pytest.approx([1 / 15] * 15, rel=0.2)
    assert np.abs(strengths).mean() == pytest.approx(0.7, abs=0.01)
    assert np.abs(strengths).std() == pytest.approx(0.05, abs=0.005)
    assert np.mean(strengths > 0) == pytest.approx(0.5, abs=0.05)
    rotations = strengths[[name == 'Rotate' for name in names]]
    assert np.mean(rotations > 0) == pytest.approx(0.5, abs=0.15)


def test_same_operation_may_be_drawn_twice(drawn):
    seen = []
    for seed in range(30):
        augment([np.zeros((4, 4, 3), np.uint8)], seed, prob=1.0)
        seen.append(len({name for name, _ in drawn[-4:]}))
    assert min(seen) < 4


def test_magnitude_stays_within_its_range(drawn):
    augment([np.zeros((4, 4, 3), np.uint8)] * 200, num_clips=200, magnitude=9, magnitude_std=5, prob=1.0)
    strengths = np.abs([strength for _, strength in drawn])
    assert strengths.min() == 0
    assert strengths.max() == 1


def test_goes_before_the_crop_in_a_pipeline():
    import mmaction.datasets  # noqa: F401

    init_default_scope('mmaction')
    np.random.seed(0)
    pipeline = Compose(
        [
            dict(type='twlv_mm.RandAugment'),
            dict(type='RandomResizedCrop'),
            dict(type='Resize', scale=(16, 16), keep_ratio=False),
            dict(type='Flip', flip_ratio=1.0),
            dict(type='twlv_mm.RandomErasing', prob=1.0),
            dict(type='FormatShape', input_format='NCTHW'),
            dict(type='PackActionInputs'),
        ]
    )
    frames = list(noise(8, 24, 32, 3))
    packed = pipeline(dict(imgs=frames, img_shape=(24, 32), num_clips=2, clip_len=4, label=1, modality='RGB'))
    assert packed['inputs'].shape == (2, 3, 4, 16, 16)
    assert str(packed['inputs'].dtype) == 'torch.uint8'


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        ([np.zeros((8, 8, 3), np.float32)], 'float32'),
        ([np.zeros((8, 8), np.uint8)], r'\(8, 8\)'),
        ([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)], 'of one size'),
    ],
)
def test_frames_of_another_kind_are_a_clear_error(images, message):
    with pytest.raises(ValueError, match=message):
        augment(images)


def test_frames_that_do_not_fill_whole_clips_are_a_clear_error():
    with pytest.raises(ValueError, match='5 frames for 2 clips'):
        augment([np.zeros((8, 8, 3), np.uint8)] * 5, num_clips=2)


@pytest.mark.parametrize('options', [dict(magnitude=11), dict(magnitude=-1), dict(prob=1.5)])
def test_options_out_of_range_are_a_clear_error(options):
    with pytest.raises(ValueError, match=f'{next(iter(options))} of RandAugment is'):
        RandAugment(**options)
