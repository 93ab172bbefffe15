"""Content of generated videos: actors with an appearance, motions, and backgrounds.

Appearance and motion are independent. All silhouettes have the same area, and so have both halves of a pattern, so that
colours do not reveal an appearance. Every motion played backwards is its opposite with the same distribution, and the
middle of its path has the same distribution of place, size and angle for all motions, so that neither a single middle
frame nor the frames in any order reveal a motion.
"""

import colorsys

import cv2
import numpy as np

SPLITS = ('train', 'test')
SILHOUETTES = ('bar', 'square')
PATTERNS = ('halved', 'striped', 'checked', 'framed')
APPEARANCES = tuple(f'{pattern}_{silhouette}' for silhouette in SILHOUETTES for pattern in PATTERNS)
MOTIONS = ('left', 'right', 'up', 'down', 'clockwise', 'counter_clockwise', 'growing', 'shrinking')
OPPOSITES = dict(zip(MOTIONS, ('right', 'left', 'down', 'up') + MOTIONS[5:3:-1] + MOTIONS[7:5:-1], strict=True))

# Sixths of the colour circle from which each split draws its hues, with gaps between them.
_HUES = dict(train=(0, 2, 4), test=(1, 3, 5))
# Cells along a side of the noise in backgrounds and in the grain of actors.
_BACKGROUND_CELLS = dict(train=(3, 5), test=(4, 6))
_GRAIN_CELLS = dict(train=(9, 13), test=(11, 15))


def _unit(polygon):
    """A polygon with its centroid at the origin and an area of 1."""
    polygon = np.asarray(polygon, np.float32)
    moments = cv2.moments(polygon)
    polygon -= np.array([moments['m10'], moments['m01']]) / moments['m00']
    return polygon / np.sqrt(moments['m00'])


_POLYGONS = dict(
    bar=_unit([(-5, -1), (5, -1), (5, 1), (-5, 1)]),
    square=_unit([(-1, -1), (1, -1), (1, 1), (-1, 1)]),
)


class Actor:
    """A shape with a pattern in a light and a dark colour, and a fine grain that moves with it.

    ``appearance`` is one of :data:`APPEARANCES`; the splits share neither hues nor grains.
    """

    def __init__(self, appearance, rng, split):
        _check(appearance, APPEARANCES, 'appearance')
        _check(split, SPLITS, 'split')
        self.pattern, silhouette = appearance.split('_', 1)
        self.polygon = _POLYGONS[silhouette]
        light = _colour(rng, split, saturation=(0.2, 0.5), value=(0.85, 1.0))
        dark = _colour(rng, split, saturation=(0.6, 1.0), value=(0.1, 0.35))
        self.colours = (light, dark) if rng.random() < 0.5 else (dark, light)
        cells = rng.choice(_GRAIN_CELLS[split])
        self.grain = cv2.resize(rng.uniform(-20, 20, (cells, cells)).astype(np.float32), (64, 64))

    def draw(self, canvas, x, y, scale, angle):
        """Draw the actor into a frame, in place.

        Args:
            canvas (ndarray): (H, W, 3) uint8 RGB.
            x, y (float): Centroid, in pixels from the left and from the top edge.
            scale (float): Side in pixels of the square with the same area.
            angle (float): Clockwise, in degrees.

        Returns:
            tuple[int, int, int, int] | None: x1, y1, x2, y2 (x2 and y2 exclusive) of the pixels that are at least half
            covered, clipped to the frame; None if there are none.
        """
        height, width = canvas.shape[:2]
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        corners = self.polygon @ np.array([[cos, sin], [-sin, cos]]) * scale
        x1, y1 = np.maximum(np.floor(corners.min(axis=0) + (x, y)).astype(int) - 1, 0)
        x2, y2 = np.minimum(np.ceil(corners.max(axis=0) + (x, y)).astype(int) + 1, (width, height))
        if x1 >= x2 or y1 >= y2:
            return None
        rows, columns = np.mgrid[y1:y2, x1:x2].astype(np.float32) + 0.5
        rows, columns = rows - np.float32(y), columns - np.float32(x)
        centre = x - x1, y - y1
        # Positions of the pixels on the actor, in units of its scale.
        u = ((columns * cos + rows * sin) / scale).astype(np.float32)
        v = ((rows * cos - columns * sin) / scale).astype(np.float32)
        if self.pattern == 'framed':
            share = _coverage(corners * np.sqrt(0.5) + centre, u.shape)  # half the area
        else:
            share = np.clip(self._border_distance(u, v) * scale + 0.5, 0, 1)  # soft over a pixel
        paint = share[..., None] * self.colours[0] + (1 - share[..., None]) * self.colours[1]
        grain = cv2.remap(self.grain, (u + 1) * 32, (v + 1) * 32, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        coverage = _coverage(corners + centre, u.shape)
        patch, alpha = canvas[y1:y2, x1:x2], coverage[..., None]
        patch[:] = np.clip(np.round(alpha * (paint + grain[..., None]) + (1 - alpha) * patch), 0, 255)
        return _tight_box(coverage, x1, y1)

    def _border_distance(self, u, v):
        """Distance to the border between the two colours, positive on the side of the first."""
        if self.pattern == 'halved':
            return u
        if self.pattern == 'striped':
            return _stripes(v, 0.2)
        across, along = _stripes(u, 0.3), _stripes(v, 0.3)  # checked
        return np.minimum(abs(across), abs(along)) * np.sign(across * along)


def _stripes(u, width):
    """Distance to the next border of stripes of a width, negative in every other stripe; there is a border at 0."""
    return np.arcsin(np.sin(u * np.pi / width)) / np.pi * width


def background(rng, split, size=(64, 64), num_frames=16):
    """(T, H, W, 3) uint8 RGB of a smooth, muted background that drifts slowly and steadily in a random direction.

    The splits share neither hues nor the scale of the clouds; ``size`` is height and width in pixels.
    """
    _check(split, SPLITS, 'split')
    height, width = size
    cells = int(rng.choice(_BACKGROUND_CELLS[split]))
    ends = [_colour(rng, split, saturation=(0.1, 0.5), value=(0.4, 0.75)) for _ in range(2)]
    # Two more cells on every side, wrapped, make the image continue at its opposite edge.
    clouds = np.pad(rng.random((cells, cells)).astype(np.float32), 2, mode='wrap')
    top, left = round(2 * height / cells), round(2 * width / cells)
    clouds = cv2.resize(clouds, (width + 2 * left, height + 2 * top), interpolation=cv2.INTER_CUBIC)
    share = clouds[top : top + height, left : left + width, None]
    picture = share * ends[0] + (1 - share) * ends[1]
    angle, speed = rng.uniform(0, 2 * np.pi), rng.uniform(0.002, 0.006) * max(size)
    frames = np.empty((num_frames, height, width, 3), np.uint8)
    for t in range(num_frames):
        columns = (np.arange(width) + np.cos(angle) * speed * t) % width
        rows = (np.arange(height) + np.sin(angle) * speed * t) % height
        maps = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
        drifted = cv2.remap(picture, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        frames[t] = np.clip(np.round(drifted), 0, 255)
    return frames


def motion_path(motion, num_frames, rng, size=(64, 64)):
    """Draw a steady motion from the first frame to the last; halfway, all motions have the same distribution of poses.

    ``size`` is height and width in pixels of the region that the path may use. Returns ``x``, ``y``, ``scale`` and
    ``angle``, (num_frames,) each, as for :meth:`Actor.draw`.
    """
    _check(motion, MOTIONS, 'motion')
    height, width = size
    side = min(size)
    time = np.linspace(-0.5, 0.5, num_frames) if num_frames > 1 else np.zeros(1)
    # All parameters are always drawn, so that the state of the caller's generator does not depend on the motion.
    distance, turn, growth = rng.uniform(0.32, 0.44) * side, rng.uniform(75, 115), np.log(rng.uniform(1.7, 2.1))
    x, y = rng.uniform(0.36, 0.64) * width, rng.uniform(0.36, 0.64) * height
    scale, angle = rng.uniform(0.34, 0.41) * side, rng.uniform(-30, 30)
    path = dict(x=x + 0 * time, y=y + 0 * time, scale=scale + 0 * time, angle=angle + 0 * time)
    if motion in ('left', 'right'):
        path['x'] = x + distance * time * (1 if motion == 'right' else -1)
    elif motion in ('up', 'down'):
        path['y'] = y + distance * time * (1 if motion == 'down' else -1)
    elif motion in ('clockwise', 'counter_clockwise'):
        path['angle'] = angle + turn * time * (1 if motion == 'clockwise' else -1)
    else:
        path['scale'] = scale * np.exp(growth * time * (1 if motion == 'growing' else -1))
    return path


def _colour(rng, split, saturation, value):
    """(3,) float32 RGB in [0, 255] with a hue of the split."""
    hue = (rng.choice(_HUES[split]) + rng.uniform(0.1, 0.9)) / 6
    return 255 * np.array(colorsys.hsv_to_rgb(hue, rng.uniform(*saturation), rng.uniform(*value)), np.float32)


def _coverage(corners, shape):
    """Fraction (H, W) of each pixel of a patch that a polygon covers; corners in pixels from the patch's edges."""
    # cv2's anti-aliasing widens a polygon by half a pixel on every side, so each pixel has 4 x 4 samples instead. cv2
    # puts integers at the middle of a sample, and takes 4 fractional bits.
    mask = np.zeros((4 * shape[0], 4 * shape[1]), np.uint8)
    cv2.fillPoly(mask, [np.round((4 * corners - 0.5) * 16).astype(np.int32)], 255, shift=4)
    return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_AREA) / np.float32(255)


def _tight_box(coverage, left, top):
    columns, rows = np.flatnonzero((coverage >= 0.5).any(axis=0)), np.flatnonzero((coverage >= 0.5).any(axis=1))
    if not len(columns):
        return None
    return int(left + columns[0]), int(top + rows[0]), int(left + columns[-1] + 1), int(top + rows[-1] + 1)


def _check(value, known, what):
    if value not in known:
        raise ValueError(f'unknown {what} {value!r}; choose from {", ".join(known)}')
