"""Colours of classes, the same in every figure."""

import colorsys

import matplotlib

# Degrees between the hues of neighbours: the golden angle keeps any number of hues apart.
HUE_STEP = 137.508


def class_colour(index):
    """RGB in 0 ... 1 of a class index: ten colours, then ten darker ones, then the same again.

    All are dark enough for thin bars on white.
    """
    colour = matplotlib.colormaps['tab10'].colors[index % 10]
    return colour if index % 20 < 10 else tuple(0.6 * part for part in colour)


def class_colours(count):
    """RGB in 0 ... 1 of a number of distinct colours: up to twenty are those of :func:`class_colour`."""
    if count <= 20:
        return [class_colour(index) for index in range(count)]
    shades = ((0.45, 0.75), (0.32, 0.65), (0.6, 0.6))  # lightness and saturation
    return [colorsys.hls_to_rgb(index * HUE_STEP / 360 % 1, *shades[index % 3]) for index in range(count)]
