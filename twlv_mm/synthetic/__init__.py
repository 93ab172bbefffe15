"""Generated videos with known labels, for the demo and the tests: no data set needs to be fetched."""

from .moving_shape import DIRECTIONS, make_direction_set, render, write_video

__all__ = ['DIRECTIONS', 'make_direction_set', 'render', 'write_video']
