"""Colours that tell classes apart, the same ones in every picture."""

import colorsys

import matplotlib

# Degrees between the hues of neighbours, the golden section of the circle: no two of many come to lie close.
HUE_STEP = 137.508


def class_colour(index):
    """Colour of a class: ten, then the ten darker, then the same again; none too pale for thin bars on white.

    Args:
        index (int): Place of the class among the classes.

    Returns:
        tuple[float, float, float]: RGB in 0 ... 1.
    """
    colour = matplotlib.colormaps['tab10'].colors[index % 10]
    return colour if index % 20 < 10 else tuple(0.6 * part for part in colour)


def class_colours(count):
    """Colours of a number of classes, no two the same.

    Up to twenty are those of :func:`class_colour`. Of more, which no eye keeps apart, neighbours differ clearly.

    Args:
        count (int): Classes.

    Returns:
        list[tuple[float, float, float]]: RGB in 0 ... 1.
    """
    if count <= 20:
        return [class_colour(index) for index in range(count)]
    shades = ((0.45, 0.75), (0.32, 0.65), (0.6, 0.6))  # lightness and saturation, none too pale on white
    return [colorsys.hls_to_rgb(index * HUE_STEP / 360 % 1, *shades[index % 3]) for index in range(count)]
