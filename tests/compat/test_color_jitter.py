import cv2
import numpy as np
import pytest


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize('factor', [-0.5, -0.1, -0.001, 0.1, 0.5])
def test_hue_equals_that_of_numpy_1(image, factor):
    from mmaction.datasets.transforms import ColorJitter

    # numpy 1: uint8 + a negative integer is int16, uint8 + a positive one wraps at 256.
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    offset = int(factor * 255)
    hue = hsv[..., 0].astype(int) + offset
    hsv[..., 0] = (hue if offset < 0 else hue % 256) % 180
    np.testing.assert_array_equal(ColorJitter.adjust_hue(image, factor), cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def test_jitter_of_every_draw_gives_images(image):
    from mmaction.datasets.transforms import ColorJitter

    np.random.seed(0)
    for _ in range(20):
        (jittered,) = ColorJitter(hue=0.5).transform({'imgs': [image]})['imgs']
        assert jittered.shape == image.shape
        assert jittered.dtype == np.uint8
