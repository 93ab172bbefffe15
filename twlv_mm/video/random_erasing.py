"""Random erasing on clips: V-JEPA's augmentation of the crops that a probe is trained on."""

import numpy as np
from mmcv.transforms import BaseTransform

from twlv_mm.registry import TRANSFORMS

from .rand_augment import stack_clips

AREA_RANGE = (0.02, 1 / 3)  # of the frame
ASPECT_RATIO_RANGE = (0.3, 1 / 0.3)  # height to width
MAX_ATTEMPTS = 100
# ImageNet's colours, from 0 to 255.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


@TRANSFORMS.register_module()
class RandomErasing(BaseTransform):
    """Fill a rectangle of a clip with noise, at the same place in all frames.

    The noise differs for each pixel and frame: normal with the mean and standard deviation of ImageNet's colours,
    clipped to [0, 255]. Goes after the crop, on frames of their final size.

    Required keys: imgs, a list of (H, W, 3) uint8 RGB frames, clip after clip; num_clips (one clip if missing).
    Modified keys: imgs, a copy.

    Source: Zhong et al. 2020, as in V-JEPA's evaluation of probes on K400 and SSv2, which adds the noise after
    normalization, and does not clip it.
    """

    def __init__(self, prob=0.25):
        if not 0 <= prob <= 1:
            raise ValueError(f'prob of RandomErasing is {prob}: give a probability, from 0 to 1')
        self.prob = prob

    def transform(self, results):
        frames = []
        for clip in stack_clips(results, 'RandomErasing'):
            if np.random.random() < self.prob:
                top, left, height, width = draw_rectangle(*clip.shape[1:3])
                # Several times as fast as np.random's functions, which give its seed.
                noise = np.random.default_rng(np.random.randint(2**31)).standard_normal(
                    (len(clip), height, width, 3), dtype=np.float32
                )
                noise = np.rint(noise * np.float32(STD) + np.float32(MEAN))
                clip[:, top : top + height, left : left + width] = np.clip(noise, 0, 255)
            frames.extend(clip)
        results['imgs'] = frames
        return results


def draw_rectangle(frame_height, frame_width):
    """Draw a rectangle: area and logarithm of the aspect ratio uniform, then its position.

    Returns top, left, height and width in pixels; zeros if none of 100 rectangles is smaller than the frame in both
    directions and not empty, as in frames of a few pixels. Source: V-JEPA's evaluation code.
    """
    areas = np.random.uniform(*AREA_RANGE, MAX_ATTEMPTS) * frame_height * frame_width
    ratios = np.exp(np.random.uniform(*np.log(ASPECT_RATIO_RANGE), MAX_ATTEMPTS))
    heights = np.rint(np.sqrt(areas * ratios)).astype(int)
    widths = np.rint(np.sqrt(areas / ratios)).astype(int)
    fits = (heights > 0) & (heights < frame_height) & (widths > 0) & (widths < frame_width)
    if not fits.any():
        return 0, 0, 0, 0
    height, width = heights[fits][0], widths[fits][0]
    top = np.random.randint(frame_height - height + 1)
    left = np.random.randint(frame_width - width + 1)
    return top, left, height, width
