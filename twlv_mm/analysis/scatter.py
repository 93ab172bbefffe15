"""Panels of points in the plane, side by side, as a picture (the paper's Figures 6 to 9)."""

from typing import NamedTuple

import numpy as np

from twlv_mm.records import write_figure
from twlv_mm.visualization import class_colours
from twlv_mm.visualization.confusion_matrix import shorten

from .projections import project

# Inches; a legend of more names would be larger than the picture, and its colours no longer told apart.
PANEL, ROW, MAX_LEGEND, LONGEST_NAME = 3.2, 0.19, 40, 28
COLUMNS = 4  # panels in a row at most


class Panel(NamedTuple):
    """One picture of points, of one encoder.

    Attributes:
        title (str): What stands above it.
        xy (ndarray): (n, 2) places in the plane.
        labels (ndarray): (n,) int64 class indices.
        video_ids (list[str]): n ids of videos.
        spans (ndarray | None): (n, 2) start and end of clips in seconds.
        axes (tuple[str, str]): What the axes are, perhaps nothing.
        note (str): How it was made.
        one_axis (bool): Whether the axes have no common scale and only the first one tells the classes apart.
    """

    title: str
    xy: np.ndarray
    labels: np.ndarray
    video_ids: list
    spans: np.ndarray | None
    axes: tuple
    note: str
    one_axis: bool = False


def panel(title, points, method, **options):
    """Project points for a panel.

    Args:
        title (str): What is to stand above it.
        points (Points): The points.
        method (str): As for :func:`project`.
        **options: Further ones of :func:`project`.

    Returns:
        Panel: of all points, or of the half that 'lda' draws.

    Raises:
        ValueError: as :func:`project`.
    """
    projection = project(points.vectors, method, np.array(points.classes)[points.labels], points.videos, **options)
    rows = projection.rows
    return Panel(
        title,
        projection.xy,
        points.labels[rows],
        [points.video_ids[video] for video in points.videos[rows]],
        None if points.spans is None else points.spans[rows],
        projection.axes,
        projection.note,
        projection.one_axis,
    )


def scatter_png(path, panels, classes, *, title='', dpi=200):
    """Draw panels side by side.

    Up to 40 classes have a legend. Where a panel has one axis, histograms of the classes stand above it.

    Args:
        path (str): A file of a kind that matplotlib writes, .png or .pdf say.
        panels (Sequence[Panel]): At least one; four in a row.
        classes (Sequence[str]): Names of the classes.
        title (str): What stands above all.
        dpi (int): Dots per inch; a panel is some three inches wide.
    """
    # Not before it draws: this chooses matplotlib's backend for files, and what imports the room may need a window.
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    colours = np.array(class_colours(len(classes)))
    columns = min(len(panels), COLUMNS)
    rows = -(-len(panels) // columns)
    legend = len(classes) if 1 < len(classes) <= MAX_LEGEND else 0
    names = [shorten(name, LONGEST_NAME) for name in classes]
    per_row = max(1, int(columns * PANEL / (0.35 + 0.066 * max(map(len, names)))))
    below = ROW * -(-legend // per_row) + (0.1 if legend else 0)
    height = rows * (PANEL + 0.55) + below + (0.35 if title else 0.05)
    figure = Figure(figsize=(columns * PANEL + 0.1, height), dpi=dpi, layout='constrained')
    figure.get_layout_engine().set(rect=(0, below / height, 1, 1 - below / height))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, one in zip(grid.flat, panels, strict=False):
        _draw(axes, one, colours)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    if title:
        figure.suptitle(title, fontsize=11, fontweight='bold', parse_math=False)
    if legend:
        handles = [Line2D([], [], ls='', marker='o', ms=5, color=colour) for colour in colours]
        placed = figure.legend(
            handles, names, loc='lower center', ncols=min(per_row, legend), fontsize=7.5, frameon=False,
            handletextpad=0.1, columnspacing=1.0, borderaxespad=0.3,
        )  # fmt: skip
        for text in placed.get_texts():
            text.set_parse_math(False)
    write_figure(path, figure)


def _draw(axes, one, colours):
    # In random order, so that no class lies on top of the others.
    order = np.random.default_rng(0).permutation(len(one.xy))
    size = np.clip(6000 / len(order), 1.2, 14)
    axes.scatter(*one.xy[order].T, s=size, c=colours[one.labels[order]], alpha=0.75, linewidths=0, rasterized=True)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_box_aspect(1)
    if one.one_axis:
        _histograms(axes, one, colours)
    else:
        axes.set_aspect('equal', 'datalim')
    axes.spines[:].set_color('0.6')
    axes.set_xlabel('\n'.join(filter(None, (one.axes[0], _wrapped(one.note)))), fontsize=6.5, color='0.3')
    axes.set_ylabel(one.axes[1], fontsize=6.5, color='0.3')
    axes.set_title(one.title, fontsize=9.5, parse_math=False)


def _histograms(axes, one, colours):
    """Where on the first axis each class is, in the upper quarter of the panel."""
    low, high = one.xy[:, 1].min(), one.xy[:, 1].max()
    axes.set_ylim(low - 0.05 * (high - low), high + 0.45 * (high - low))
    bins = np.linspace(one.xy[:, 0].min(), one.xy[:, 0].max(), 31)
    above = axes.inset_axes([0, 0.75, 1, 0.25], sharex=axes)
    for label in np.unique(one.labels):
        above.hist(one.xy[one.labels == label, 0], bins, color=colours[label], alpha=0.55)
    above.set_axis_off()


def _wrapped(note, width=62):
    """A note in lines of some length."""
    lines = ['']
    for word in note.split():
        if len(lines[-1]) + len(word) > width:
            lines.append('')
        lines[-1] = f'{lines[-1]} {word}'.strip()
    return '\n'.join(lines)
