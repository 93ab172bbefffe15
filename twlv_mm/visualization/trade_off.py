"""Two scores against each other, such as appearance and motion (as the paper's Figure 2)."""

import numpy as np
from matplotlib.figure import Figure

from twlv_mm.records import write_figure

from .colours import class_colour


def draw_trade_off(path, panels, axes_names, *, dpi=120):
    """Draw points with error bars of one standard deviation, in panels side by side.

    Args:
        path (str): A file of a type that matplotlib writes, such as .png.
        panels (dict[str, dict[str, ndarray]]): Title of a panel -> name of a point -> (R, 2), R repetitions of its two
            scores. A name has the same colour in all panels.
        axes_names (tuple[str, str]): Names of the two scores.
        dpi (int): Dots per inch; a panel is 4 x 4 inches.
    """
    figure = Figure(figsize=(4 * len(panels), 4), dpi=dpi, layout='constrained')
    names = list(dict.fromkeys(name for points in panels.values() for name in points))
    for axes, (title, points) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for name, scores in points.items():
            scores = np.asarray(scores)
            colour = class_colour(names.index(name))
            spread = scores.std(axis=0, ddof=1) if len(scores) > 1 else np.zeros(2)
            axes.errorbar(*scores.mean(axis=0), *spread[::-1], fmt='o', color=colour, capsize=2, label=name)
        axes.set(title=title, xlabel=axes_names[0], ylabel=axes_names[1])
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    write_figure(path, figure)
