"""The time axis of figures of actions, with frames of the video above it."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

WIDTH = 12  # inches of a figure
LETTER = 0.08  # inches of a letter of row names
GREY = '0.4'
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # distances in seconds


def figure_over_time(height, margins, names, duration, frames=None, frame_times=None, *, dpi=120):
    """Create a figure with axes for rows over time, below the frames if there are any.

    Args:
        height (float): Inches of the rows.
        margins (float): Inches of everything around them.
        names (Sequence[str]): Names of the rows, which need space on the left.
        duration, frames, frame_times, dpi: See :func:`~twlv_mm.visualization.timeline.draw_timeline`.

    Returns:
        tuple[Figure, Axes]: the figure, and the axes of the rows.
    """
    if not duration > 0:
        raise ValueError(f'duration is {duration}; it must be a positive number of seconds')
    heights = [height]
    frames, centres, width = _spread(() if frames is None else frames, frame_times, duration)
    if len(frames):
        axis_width = WIDTH - 0.4 - LETTER * max(map(len, names), default=0)
        heights.insert(0, axis_width * width / duration * frames[0].shape[0] / frames[0].shape[1])
    figure = Figure(figsize=(WIDTH, sum(heights) + margins), dpi=dpi, layout='constrained')
    *above, axes = figure.subplots(len(heights), sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for strip in above:
        _draw_frames(strip, frames, centres, width)
    return figure, axes


def finish_axes(axes, names, duration, note=''):
    """Name the rows (each 1 high, the first on top) and set the ticks; ``note`` is appended to the axis label."""
    axes.set_xlim(0, duration)
    axes.set_ylim(max(len(names), 1), 0)
    axes.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=9, parse_math=False)
    axes.tick_params(axis='y', length=0)
    axes.tick_params(axis='x', labelsize=9)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    step = next((tick for tick in TICKS if duration / tick <= 12), duration / 12)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    minutes = duration >= 120
    if minutes:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{int(value // 60)}:{int(value % 60):02d}'))
    axes.grid(axis='x', color='0.85', linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(f'time in the video, {"min:s" if minutes else "s"}{note}', fontsize=9)


def add_title(figure, title):
    figure.suptitle(title, fontsize=10, x=0.01, ha='left', parse_math=False)


def _spread(frames, frame_times, duration):
    """The frames on the axis, their centres and the width of each in seconds, without overlap."""
    if frame_times is None:
        frame_times = (np.arange(len(frames)) + 0.5) / max(len(frames), 1) * duration
    if len(frame_times) != len(frames):
        raise ValueError(f'there are {len(frames)} frames, but {len(frame_times)} frame_times')
    times = np.asarray(frame_times, float)
    room = np.diff(times).min(initial=duration / max(len(times), 6))
    if room <= 0:
        raise ValueError('frame_times must ascend')
    # The file can be longer than the given duration.
    count = int((times < duration).sum())
    return frames[:count], times[:count], room


def _draw_frames(axes, frames, centres, width):
    axes.set_axis_off()
    for frame, centre in zip(frames, centres, strict=True):
        extent = (centre - 0.48 * width, centre + 0.48 * width, 0, 1)
        # A frame at the start of the video extends beyond the axis.
        axes.imshow(frame, extent=extent, aspect='auto', clip_on=False)
        axes.plot([centre, centre], [-0.06, 0], color=GREY, linewidth=1, clip_on=False)
    axes.set_ylim(0, 1)
