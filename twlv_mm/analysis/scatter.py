"""Scatter plots of several encoders side by side, as a picture (paper Figures 6 to 9)."""

import textwrap
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twlv_mm.records import write_figure
from twlv_mm.visualization import class_colours
from twlv_mm.visualization.confusion_matrix import shorten

from .projections import project

# Inches, entries, characters. A legend of more classes would be larger than the plot, its colours indistinguishable.
PANEL, ROW, MAX_LEGEND, LONGEST_NAME = 3.2, 0.19, 40, 28
COLUMNS = 4  # panels in a row at most


class Panel(NamedTuple):
    """A scatter plot of one encoder."""

    title: str
    xy: np.ndarray  # (n, 2) coordinates
    labels: np.ndarray  # (n,) int64 class indices
    video_ids: list[str]  # (n,)
    spans: np.ndarray | None  # (n, 2) start and end of clips in seconds
    axes: tuple[str, str]  # names of the axes, possibly empty
    note: str  # how it was made
    one_axis: bool = False  # whether only the first axis separates the classes, so that the axes have no common scale


def panel(title, points, method, **options):
    """Project vectors for a panel; see :func:`project` for ``method`` and ``options``.

    Returns:
        Panel: of all vectors, or of the half that 'lda' draws.
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
    """Draw panels side by side, four in a row, with a legend of up to 40 classes.

    Panels with one axis have histograms of the classes above it.

    Args:
        path (str): A file of a type that matplotlib writes, such as .png or .pdf.
        panels (Sequence[Panel]): At least one.
        classes (Sequence[str]): Names of the classes.
        title (str): Title of the figure.
        dpi (int): Dots per inch; a panel is about three inches wide.
    """
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
    # In random order, so that no class covers the others.
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
    axes.set_xlabel('\n'.join(filter(None, (one.axes[0], textwrap.fill(one.note, 62)))), fontsize=6.5, color='0.3')
    axes.set_ylabel(one.axes[1], fontsize=6.5, color='0.3')
    axes.set_title(one.title, fontsize=9.5, parse_math=False)


def _histograms(axes, one, colours):
    """Histograms of the classes along the first axis, in the upper quarter of the panel."""
    low, high = one.xy[:, 1].min(), one.xy[:, 1].max()
    axes.set_ylim(low - 0.05 * (high - low), high + 0.45 * (high - low))
    bins = np.linspace(one.xy[:, 0].min(), one.xy[:, 0].max(), 31)
    above = axes.inset_axes([0, 0.75, 1, 0.25], sharex=axes)
    for label in np.unique(one.labels):
        above.hist(one.xy[one.labels == label, 0], bins, color=colours[label], alpha=0.55)
    above.set_axis_off()
