"""Cached frames are the frames."""

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

FRAMES = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.EmbeddingSample', num_frames=8, sampling='uniform'),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
]
KEYFRAMES = [
    dict(type='twlv_mm.SampleKeyframeClip', clip_len=4, seconds=0.5),
    dict(type='twlv_mm.DecodeVideo'),
]


@pytest.fixture(autouse=True)
def _mmaction_scope():
    import mmaction.datasets  # noqa: F401

    init_default_scope('mmaction')


def test_frames_are_decoded_once_and_equal_the_uncached(constant_video, variable_video, tmp_path):
    cached = Compose([dict(type='twlv_mm.CachedFrames', transforms=FRAMES)])
    samples = [dict(filename=name, start_index=0, modality='RGB') for name in (constant_video, variable_video)]
    plain = [Compose(FRAMES)(dict(sample)) for sample in samples]
    first = [cached(dict(sample, label=7)) for sample in samples]
    for name in (constant_video, variable_video):
        open(name, 'w').close()  # what is read from here on is not in the file
    again = [cached(dict(sample, label=8)) for sample in samples]
    for expected, one, two in zip(plain, first, again, strict=True):
        np.testing.assert_array_equal(one['imgs'], expected['imgs'])
        np.testing.assert_array_equal(two['imgs'], expected['imgs'])
        assert (one['label'], two['label']) == (7, 8)
        assert {key for key in two if key != 'label'} == set(expected)


def test_change_of_a_sample_leaves_the_next_as_it_was(constant_video):
    cached = Compose([dict(type='twlv_mm.CachedFrames', transforms=FRAMES)])
    sample = dict(filename=constant_video, start_index=0, modality='RGB')
    first = cached(dict(sample))
    kept = np.array(first['imgs'])
    for image in first['imgs']:
        image[:] = 0
    np.testing.assert_array_equal(cached(dict(sample))['imgs'], kept)


def test_keyframes_of_one_file_have_frames_of_their_own(constant_video):
    cached = Compose([dict(type='twlv_mm.CachedFrames', transforms=KEYFRAMES)])
    keyframes = [
        dict(filename=constant_video, img_key=f'film,{second}', timestamp=second, offset_seconds=0) for second in (0, 1)
    ]
    plain = [Compose(KEYFRAMES)(dict(keyframe))['imgs'] for keyframe in keyframes]
    assert not np.array_equal(*plain)
    for keyframe, expected in [*zip(keyframes, plain, strict=True)] * 2:
        np.testing.assert_array_equal(cached(dict(keyframe))['imgs'], expected)
