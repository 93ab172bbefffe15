"""Segmentations as coloured bars over time: the ground truth, and one bar per model below it."""

import numpy as np
from matplotlib import rc_context
from matplotlib.patches import Patch

from twlv_mm.records import write_figure

from .colours import class_colour
from .confusion_matrix import shorten
from .time_axis import WIDTH, add_title, figure_over_time, finish_axes

MAX_LABEL = 32  # characters of a name
ROW, LEGEND_ROW = 0.45, 0.19  # inches of a bar and of a row of the legend
MARGINS = 1.0  # inches of the title, the axis and the space around the legend
HANDLE, LETTER = 0.55, 0.068  # inches of a legend entry without its name, and of a letter
BACKGROUND = '0.88'
HATCHES = '', '/////', '....'


def draw_label_bars(path, rows, duration, classes, *, title='', background=(), frames=None, frame_times=None, dpi=120):
    """Draw a bar for each segmentation on one time axis, with a legend of the classes that occur.

    A class has the same colour in all figures; from the 21st class on, colours repeat with a white pattern.

    Args:
        path (str): A file of a type that matplotlib writes, such as .png.
        rows (Sequence[tuple[str, ndarray]]): Name of each row, from the top, and its segments: (S, 3) label, start and
            end in seconds. Gaps are white.
        duration (float): Length of the video in seconds.
        classes (Sequence[str]): Names of all classes, in the order of the labels.
        background (Sequence[int]): Background labels: light grey.
        title, frames, frame_times, dpi: See :func:`~twlv_mm.visualization.timeline.draw_timeline`.
    """
    rows = [(shorten(name, MAX_LABEL), np.asarray(segments, float).reshape(-1, 3)) for name, segments in rows]
    for name, segments in rows:
        _check(name, segments, len(classes))
    occurring = np.unique(np.concatenate([segments[:, 0] for _, segments in rows])).astype(int)
    styles = {label: _style(label, label in background) for label in occurring.tolist()}
    names = {label: shorten(classes[label], MAX_LABEL) for label in styles}
    # Background comes last.
    order = sorted(styles, key=lambda label: (label in background, label))
    columns = max(int((WIDTH - 0.4) / (HANDLE + LETTER * max(map(len, names.values()), default=1))), 1)
    margins = MARGINS + LEGEND_ROW * -(-len(order) // columns)
    labels = [name for name, _ in rows]
    figure, axes = figure_over_time(ROW * len(rows) + 0.1, margins, labels, duration, frames, frame_times, dpi=dpi)
    for place, (_, segments) in enumerate(rows):
        for label, style in styles.items():
            _, starts, ends = segments[segments[:, 0] == label].T
            axes.barh(np.full(len(starts), place + 0.08), ends - starts, 0.84, starts, align='edge', **style)
    finish_axes(axes, labels, duration)
    axes.grid(visible=False)
    add_title(figure, title)
    handles = [Patch(**styles[label], label=names[label]) for label in order]
    legend = figure.legend(handles=handles, loc='outside lower center', ncols=columns, fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    with rc_context({'hatch.linewidth': 1.5}):
        write_figure(path, figure)


def _check(name, segments, num_classes):
    backwards = segments[segments[:, 2] < segments[:, 1]]
    if len(backwards):
        _, start, end = backwards[0]
        raise ValueError(f'{name} has a segment that ends at {end:g} s, before it starts at {start:g} s')
    foreign = segments[(segments[:, 0] < 0) | (segments[:, 0] >= num_classes)]
    if len(foreign):
        raise ValueError(f'{name} has a segment of class {foreign[0, 0]:g}, but there are {num_classes} classes')


def _style(label, is_background):
    if is_background:
        return dict(facecolor=BACKGROUND, linewidth=0)
    hatch = HATCHES[label // 20 % len(HATCHES)]
    return dict(facecolor=class_colour(label), hatch=hatch, edgecolor='white', linewidth=0)
