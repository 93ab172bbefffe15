"""RandAugment on clips: V-JEPA's augmentation of the frames that a probe is trained on.

An operation maps a clip, (T, H, W, 3) uint8 RGB, to a new one, with the same parameters for all frames; statistics such
as histograms are per frame. Pixels equal those of PIL's operations of the same name to within one grey level.
"""

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform

from twlv_mm.registry import TRANSFORMS

MAX_MAGNITUDE = 10.0
FILL = (128, 128, 128)
# PIL truncates a blended pixel, OpenCV rounds. A little less than a half, so that whole numbers stay.
_ROUND_DOWN = -0.499


@TRANSFORMS.register_module()
class RandAugment(BaseTransform):
    """Apply random operations to a clip, the same for all its frames.

    For each clip, ``num_ops`` of the 15 operations in :data:`OPERATIONS` are drawn with replacement, and each is
    applied with probability ``prob``. The defaults are timm's ``rand-m7-n4-mstd0.5-inc1``. Goes before crops.

    Required keys: imgs, a list of (H, W, 3) uint8 RGB frames, clip after clip; num_clips (one clip if missing).
    Modified keys: imgs, a copy.

    Args:
        magnitude (float): Mean strength of the operations, from 0 to 10.
        num_ops (int): Operations drawn for a clip.
        magnitude_std (float): Standard deviation of the strength, which is drawn for each operation and clipped to
            [0, 10].
        prob (float): Probability that a drawn operation is applied.

    Source: Cubuk et al. 2020, as in V-JEPA's evaluation of probes on K400 and SSv2, which fills the areas uncovered by
    geometric operations with grey.
    """

    def __init__(self, magnitude=7, num_ops=4, magnitude_std=0.5, prob=0.5):
        if not 0 <= magnitude <= MAX_MAGNITUDE:
            raise ValueError(f'magnitude of RandAugment is {magnitude}: give a number from 0 to {MAX_MAGNITUDE:.0f}')
        if not 0 <= prob <= 1:
            raise ValueError(f'prob of RandAugment is {prob}: give a probability, from 0 to 1')
        self.magnitude = magnitude
        self.num_ops = num_ops
        self.magnitude_std = magnitude_std
        self.prob = prob

    def transform(self, results):
        frames = []
        for clip in stack_clips(results, 'RandAugment'):
            for operation, strength in self._draw():
                clip = operation(clip, strength)
            frames.extend(clip)
        results['imgs'] = frames
        return results

    def _draw(self):
        """The operations for one clip, each with its strength in [-1, 1]."""
        operations = np.random.choice(list(OPERATIONS.values()), self.num_ops)
        applied = np.random.random(self.num_ops) < self.prob
        magnitudes = np.clip(np.random.normal(self.magnitude, self.magnitude_std, self.num_ops), 0, MAX_MAGNITUDE)
        signs = np.random.choice([-1, 1], self.num_ops)
        strengths = signs * magnitudes / MAX_MAGNITUDE
        return [pair for pair, use in zip(zip(operations, strengths, strict=True), applied, strict=True) if use]


def stack_clips(results, name):
    """Copy a sample's ``imgs`` into a list of clips (T, H, W, 3); ``name`` is the calling transform, for errors."""
    images, num_clips = results['imgs'], results.get('num_clips', 1)
    if not images or len(images) % num_clips:
        raise ValueError(f'{name} got {len(images)} frames for {num_clips} clips: imgs must hold T frames for each')
    for image in images:
        if image.shape != images[0].shape or image.shape[2:] != (3,) or image.dtype != np.uint8:
            raise ValueError(
                f'{name} got a frame of shape {image.shape} and type {image.dtype} (the first: {images[0].shape}): '
                f'it needs (H, W, 3) uint8 RGB frames of one size, so put it after decoding and before FormatShape'
            )
    length = len(images) // num_clips
    return [np.stack(images[start : start + length]) for start in range(0, len(images), length)]


def auto_contrast(clip):
    """Stretch each channel of each frame to 0..255."""
    lowest = clip.min(axis=1).min(axis=1)[..., None].astype(np.float64)
    highest = clip.max(axis=1).max(axis=1)[..., None].astype(np.float64)
    flat = lowest == highest
    scale = 255 / np.where(flat, 1, highest - lowest)
    tables = np.where(flat, np.arange(256), np.arange(256) * scale - lowest * scale)
    return _look_up_each(clip, tables)


def equalize(clip):
    """Equalise the histogram of each channel of each frame."""
    tables = np.array([[_equalizing_table(frame, channel) for channel in range(3)] for frame in clip])
    return _look_up_each(clip, tables)


def look_up(clip, table):
    """Replace grey levels by ``table`` (256,), truncated to integers and clipped."""
    return cv2.LUT(_as_picture(clip), np.clip(table, 0, 255).astype(np.uint8)).reshape(clip.shape)


def posterize(clip, bits):
    """Keep the highest ``bits`` (0 to 8) of each grey level."""
    step = 2 ** (8 - bits)
    return look_up(clip, np.arange(256) // step * step)


def solarize(clip, threshold):
    """Invert grey levels from a threshold on."""
    levels = np.arange(256)
    return look_up(clip, np.where(levels < threshold, levels, 255 - levels))


def solarize_add(clip, amount):
    """Add to grey levels below 128."""
    levels = np.arange(256)
    return look_up(clip, np.where(levels < 128, levels + amount, levels))


def color(clip, factor):
    """Blend frames with their greyscale: a factor of 0 gives grey frames, 2 strong colours."""
    picture = _as_picture(clip)
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(picture, factor, grey, 1 - factor, _ROUND_DOWN).reshape(clip.shape)


def contrast(clip, factor):
    """Blend frames with their mean grey level: a factor of 0 gives even grey, 2 strong contrast."""
    means = [round(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).mean()) for frame in clip]
    tables = np.array([mean + factor * (np.arange(256) - mean) for mean in means])
    return _look_up_each(clip, np.repeat(tables[:, None], 3, axis=1))


def sharpness(clip, factor):
    """Blend frames, except border pixels, with smoothed ones: a factor of 0 gives smooth frames, 2 sharp ones."""
    kernel = np.full((3, 3), (1 - factor) / 13, np.float32)
    kernel[1, 1] = 5 * (1 - factor) / 13 + factor
    sharp = cv2.filter2D(_as_picture(clip), -1, kernel, delta=_ROUND_DOWN).reshape(clip.shape)
    out = clip.copy()
    out[:, 1:-1, 1:-1] = sharp[:, 1:-1, 1:-1]
    return out


def rotate(clip, degrees):
    """Rotate frames counter-clockwise about their centre."""
    height, width = clip.shape[1:3]
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = width / 2, height / 2
    return warp(clip, ((cos, -sin, x - cos * x + sin * y), (sin, cos, y - sin * x - cos * y)))


def warp(clip, matrix):
    """Apply an affine map with cubic convolution, filling with grey.

    ``matrix`` (2 x 3) maps positions in the new frame, x to the right and y down in pixels from the upper left corner,
    to positions in the old one.
    """
    num_frames, height, width, _ = clip.shape
    (a, b, c), (d, e, f) = matrix
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    x, y = (a * x + b * y + c).reshape(-1), (d * x + e * y + f).reshape(-1)
    inside = np.flatnonzero((x >= 0) & (x < width) & (y >= 0) & (y < height))
    columns, column_weights = _cubic_taps(x[inside] - 0.5, width)
    rows, row_weights = _cubic_taps(y[inside] - 0.5, height)
    sources = (rows[:, :, None] * width + columns[:, None]).reshape(-1, 16)
    weights = (row_weights[:, :, None] * column_weights[:, None]).reshape(-1, 16)

    # A pixel's values in all frames side by side, so that positions and weights are computed once per clip; four
    # channels, because 32-bit pixels are fast to transpose.
    pixels = cv2.cvtColor(_as_picture(clip), cv2.COLOR_RGB2RGBA).view(np.int32).reshape(num_frames, height * width)
    table = torch.from_numpy(cv2.transpose(pixels).view(np.uint8)).float()
    moved = F.embedding_bag(torch.from_numpy(sources), table, mode='sum', per_sample_weights=torch.from_numpy(weights))
    out = np.tile(np.array(FILL + (255,), np.uint8), (height * width, num_frames))
    out[inside] = moved.clamp_(0, 255).to(torch.uint8).numpy()
    picture = cv2.transpose(out.view(np.int32)).view(np.uint8).reshape(num_frames * height, width, 4)
    return cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB).reshape(clip.shape)


# Names and ranges are timm's; strength is in [-1, 1], its sign ignored where it has no meaning.
OPERATIONS = {
    'AutoContrast': lambda clip, strength: auto_contrast(clip),
    'Equalize': lambda clip, strength: equalize(clip),
    'Invert': lambda clip, strength: 255 - clip,
    'Rotate': lambda clip, strength: rotate(clip, 30 * strength),
    'PosterizeIncreasing': lambda clip, strength: posterize(clip, 4 - int(4 * abs(strength))),
    'SolarizeIncreasing': lambda clip, strength: solarize(clip, 256 - int(256 * abs(strength))),
    'SolarizeAdd': lambda clip, strength: solarize_add(clip, int(110 * abs(strength))),
    'ColorIncreasing': lambda clip, strength: color(clip, 1 + 0.9 * strength),
    'ContrastIncreasing': lambda clip, strength: contrast(clip, 1 + 0.9 * strength),
    'BrightnessIncreasing': lambda clip, strength: look_up(clip, (1 + 0.9 * strength) * np.arange(256)),
    'SharpnessIncreasing': lambda clip, strength: sharpness(clip, 1 + 0.9 * strength),
    'ShearX': lambda clip, strength: warp(clip, ((1, 0.3 * strength, 0), (0, 1, 0))),
    'ShearY': lambda clip, strength: warp(clip, ((1, 0, 0), (0.3 * strength, 1, 0))),
    'TranslateXRel': lambda clip, strength: warp(clip, ((1, 0, 0.45 * strength * clip.shape[2]), (0, 1, 0))),
    'TranslateYRel': lambda clip, strength: warp(clip, ((1, 0, 0), (0, 1, 0.45 * strength * clip.shape[1]))),
}


def _cubic_taps(places, length):
    """The four neighbours of positions on a line: indices and weights (P, 4) of PIL's cubic convolution, a = -1."""
    floors = np.floor(places)
    t = (places - floors).astype(np.float32)
    indices = np.clip(floors.astype(np.int32)[:, None] + np.arange(-1, 3, dtype=np.int32), 0, length - 1)
    squares = t * t
    cubes = squares * t
    weights = [2 * squares - t - cubes, 1 - 2 * squares + cubes, t + squares - cubes, cubes - squares]
    return indices, np.stack(weights, axis=1)


def _equalizing_table(frame, channel):
    """The equalised levels (256,) of a frame's channel, in integer steps as in PIL."""
    counts = cv2.calcHist([frame], [channel], None, [256], [0, 256]).reshape(-1).astype(np.int64)
    step = (counts.sum() - counts[np.flatnonzero(counts)[-1]]) // 255
    if step == 0:
        return np.arange(256)
    return (step // 2 + np.cumsum(counts) - counts) // step


def _look_up_each(clip, tables):
    """As :func:`look_up`, with tables (T, 3, 256) for each frame and channel."""
    tables = np.clip(tables, 0, 255).astype(np.uint8).transpose(0, 2, 1)
    return np.stack([cv2.LUT(frame, table[None]) for frame, table in zip(clip, tables, strict=True)])


def _as_picture(clip):
    """Stack the frames vertically: (T * H, W, 3)."""
    return clip.reshape(-1, *clip.shape[2:])
