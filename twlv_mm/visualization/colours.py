"""Colours that tell classes apart, the same ones in every picture."""

import matplotlib


def class_colour(index):
    """Colour of a class: ten, then the ten darker, then the same again; none too pale for thin bars on white.

    Args:
        index (int): Place of the class among the classes.

    Returns:
        tuple[float, float, float]: RGB in 0 ... 1.
    """
    colour = matplotlib.colormaps['tab10'].colors[index % 10]
    return colour if index % 20 < 10 else tuple(0.6 * part for part in colour)
