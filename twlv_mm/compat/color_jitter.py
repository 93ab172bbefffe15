"""mmaction2's ColorJitter fails on numpy 2: "Python integer -10 out of bounds for uint8".

It adds a possibly negative offset to uint8 hues. numpy 1 widened the array to int16 for a negative offset and wrapped
at 256 for a positive one; numpy 2 refuses the negative one. The results of numpy 1 are kept.
"""

import numpy as np
import wrapt


def apply():
    """Make ``ColorJitter.adjust_hue`` accept negative offsets on numpy 2."""
    if np.lib.NumpyVersion(np.__version__) >= '2.0.0':
        wrapt.register_post_import_hook(_patch, 'mmaction.datasets.transforms.processing')


def _patch(module):
    module.ColorJitter.adjust_hue = staticmethod(adjust_hue)


def adjust_hue(img, factor):
    """Shift the hue of an image, as mmaction2 1.2.0 on numpy 1.

    Args:
        img (ndarray): (H, W, 3) RGB, any real dtype, clipped to 0..255.
        factor (float): Share of 255 that is added to the hue, which OpenCV counts in 0..179.

    Returns:
        ndarray: (H, W, 3) float32.
    """
    import cv2

    hsv = cv2.cvtColor(np.clip(img, 0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV)
    offset = int(factor * 255)
    hue = hsv[..., 0].astype(np.int16) if offset < 0 else hsv[..., 0]
    hsv[..., 0] = (hue + offset) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)
