"""Predicted classes of a video: some of its frames, and the scores as bars."""

from matplotlib.figure import Figure

from twlv_mm.records import write_figure

from .confusion_matrix import shorten
from .film_strip import film_strip

MAX_LABEL = 60  # characters of a name


def draw_video_labels(path, frames, labels, scores, *, title='', dpi=120):
    """Draw a row of frames and, below, a bar for each class.

    Args:
        path (str): A file of a type that matplotlib writes, such as .png.
        frames (ndarray): (T, H, W, 3) uint8 RGB.
        labels (Sequence[str]): Names of K classes, the first on top.
        scores (Sequence[float]): Their K scores; the axis ends at 1, or at the largest score if that is larger.
        title (str): Title.
        dpi (int): Dots per inch; the figure is 8 inches wide.
    """
    # One image: separate axes for each frame take several times as long.
    strip = film_strip(frames, frames.shape[1], frames.shape[2] // 20 + 1)
    heights = 8 * strip.shape[0] / strip.shape[1], 0.25 * len(labels) + 0.3  # inches
    figure = Figure(figsize=(8, sum(heights) + 0.4), dpi=dpi, layout='constrained')
    above, below = figure.subfigures(2, 1, height_ratios=[heights[0] + 0.4, heights[1]])
    above.suptitle(title, fontsize=10, parse_math=False)
    axes = above.subplots()
    axes.imshow(strip)
    axes.set_axis_off()
    axes = below.subplots()
    places = range(len(labels))
    drawn = axes.barh(places, scores, color='tab:blue')
    axes.bar_label(drawn, [f'{score:.3f}' for score in scores], padding=3, fontsize=8)
    axes.set_yticks(places, [shorten(label, MAX_LABEL) for label in labels], fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(1.5 * min(0, *scores), 1.1 * max(1, *scores))
    axes.spines[['top', 'right']].set_visible(False)
    write_figure(path, figure)
