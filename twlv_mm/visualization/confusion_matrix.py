"""Which class is taken for which, as a picture."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from twlv_mm.records import write_figure

MAX_COUNTS = 20  # classes up to which cells are large enough for their numbers
MAX_LABEL = 32  # characters of a name


def draw_confusion_matrix(path, matrix, labels, *, dpi=120):
    """Draw a confusion matrix: colours are shares of a row, that is of a true class; up to 20 classes, with counts.

    Rows of classes without samples are grey. Names can be read up to some 50 classes.

    Args:
        path (str): A file of a kind that matplotlib writes, .png say.
        matrix (ndarray): (C, C) int, samples by true class (row) and predicted class (column).
        labels (Sequence[str]): The C names of the classes; the middle of long ones is left out.
        dpi (int): Dots per inch; cells are some fifth of an inch wide, larger for few classes.

    Raises:
        ValueError: if the matrix is not square, or the names are not as many.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(labels), len(labels)):
        raise ValueError(f'a confusion matrix of {len(labels)} classes cannot be of shape {matrix.shape}')
    counts = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, counts, out=np.full(matrix.shape, np.nan), where=counts > 0)
    side = max(0.25 * len(labels), 4)
    figure = Figure(figsize=(side, side), dpi=dpi)
    axes = figure.subplots()
    colours = matplotlib.colormaps['Blues'].with_extremes(bad='0.9')
    image = axes.imshow(shares, cmap=colours, vmin=0, vmax=1, interpolation='nearest')
    names, places = [shorten(label, MAX_LABEL) for label in labels], range(len(labels))
    # Names are not mathematics, even with dollar signs.
    axes.set_xticks(places, names, rotation=90, fontsize=7, parse_math=False)
    axes.set_yticks(places, names, fontsize=7, parse_math=False)
    axes.set_xlabel('predicted class')
    axes.set_ylabel('true class')
    if len(labels) <= MAX_COUNTS:
        for row, column in np.argwhere(matrix > 0):
            colour = 'white' if shares[row, column] > 0.5 else 'black'
            axes.text(column, row, matrix[row, column], ha='center', va='center', fontsize=5, color=colour)
    figure.colorbar(image, ax=axes, shrink=0.6, label='share of the true class')
    write_figure(path, figure, bbox_inches='tight')


def shorten(label, length):
    """Leave out the middle of a name that is too long: names of one set often begin, or end, alike.

    Args:
        label (str): The name.
        length (int): Characters that there is room for.

    Returns:
        str: the name, of ``length`` characters at most.
    """
    half = (length - 1) // 2
    return label if len(label) <= length else f'{label[:half]}…{label[-half:]}'
