"""The confusion matrix as a figure."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from twlv_mm.records import write_figure

MAX_CLASSES = 100  # of a figure
MAX_LABEL = 32  # characters of a name
CELLS = (0.5, 0.22)  # inches of a cell, largest and smallest
MAX_SIDE = 9  # inches of all cells together, until they have the smallest size
DIGIT = 0.62  # width of a digit, in font sizes
FONT_SIZES = (5.5, 10)  # points of the counts, smallest and largest


def draw_confusion_matrix(path, matrix, labels, *, dpi=120):
    """Draw a confusion matrix: counts in cells that are coloured by their share of the row, that is of the true class.

    Cells and text are legible for any number of classes. Of more than 100 classes the most confused ones are drawn, and
    the title says so. Rows of classes without samples are grey.

    Args:
        path (str): A file of a type that matplotlib writes, such as .png.
        matrix (ndarray): (C, C) int, samples by true class (row) and predicted class (column).
        labels (Sequence[str]): The C names of the classes; long ones are shortened.
        dpi (int): Dots per inch; cells are a fifth to a half of an inch wide.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(f'the confusion matrix has shape {matrix.shape}, but there are {len(labels)} class names')
    counts = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, counts, out=np.full(matrix.shape, np.nan), where=counts > 0)
    kept = _most_confused(matrix)
    shares, matrix, names = shares[kept][:, kept], matrix[kept][:, kept], [shorten(labels[i], MAX_LABEL) for i in kept]
    digits = len(str(matrix.max(initial=0)))
    cell = max(min(CELLS[0], MAX_SIDE / len(kept)), CELLS[1], DIGIT * digits * FONT_SIZES[0] / 72 / 0.85)
    font_size = min(FONT_SIZES[1], 72 * cell * 0.85 / (DIGIT * max(digits, 2)))
    side = cell * len(kept)
    figure = Figure(figsize=(side, side), dpi=dpi)
    axes = figure.add_axes((0, 0, 1, 1))
    colours = matplotlib.colormaps['Blues'].with_extremes(bad='0.9')
    image = axes.imshow(shares, cmap=colours, vmin=0, vmax=1, interpolation='nearest')
    # parse_math: dollar signs in names are not formulas.
    style = dict(fontsize=min(9, 72 * cell * 0.8), parse_math=False)
    axes.set_xticks(range(len(kept)), names, rotation=90, **style)
    axes.set_yticks(range(len(kept)), names, **style)
    edges = np.arange(1, len(kept)) - 0.5
    for lines in (axes.hlines, axes.vlines):
        lines(edges, -0.5, len(kept) - 0.5, color='0.8', linewidth=0.5)
    axes.set_xlabel('predicted class')
    axes.set_ylabel('true class')
    if len(kept) < len(labels):
        axes.set_title(f'The {len(kept)} most confused of {len(labels)} classes', fontsize=10)
    for row, column in np.argwhere(matrix > 0):
        colour = 'white' if shares[row, column] > 0.5 else 'black'
        style = dict(ha='center', va='center_baseline', fontsize=font_size, color=colour)
        axes.text(column, row, matrix[row, column], **style)
    bar = figure.add_axes((1 + 0.2 / side, max(0, 1 - 3 / side), 0.15 / side, min(1, 3 / side)))
    figure.colorbar(image, cax=bar, label='share of the true class')
    write_figure(path, figure, bbox_inches='tight')


def _most_confused(matrix):
    """Indices of the classes to draw, ascending: those with the most errors."""
    mistakes = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * matrix.diagonal()
    return np.sort(np.argsort(-mistakes, kind='stable')[:MAX_CLASSES])


def shorten(label, length):
    """Shorten a name to ``length`` characters by leaving out its middle: names often start or end alike."""
    half = (length - 1) // 2
    return label if len(label) <= length else f'{label[:half]}…{label[-half:]}'
