"""Tables of scores: as text for the log, and as csv."""

import numpy as np

from twlv_mm.records import write_table


def as_text(header, rows):
    """Lay out a table whose second column is names.

    Args:
        header (Sequence[str]): Names of the columns.
        rows (Sequence[Sequence]): Cells. Those that are floats are shares, and shown in percent, NaN as '-'.

    Returns:
        str: lines of the same length.
    """
    lines = [header, *([_cell(value, '{:.2f}', 100, '-') for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return '\n'.join(
        '  '.join(cell.ljust(width) if place == 1 else cell.rjust(width) for place, (cell, width) in enumerate(cells))
        for cells in (zip(line, widths, strict=True) for line in lines)
    )


def write_csv(path, header, rows):
    """Write a table.

    Args:
        path (Path): A .csv file.
        header (Sequence[str]): Names of the columns.
        rows (Sequence[Sequence]): Cells. Floats get four decimals, NaN an empty cell.
    """
    write_table(path, header, ([_cell(value, '{:.4f}', 1, '') for value in row] for row in rows))


def write_class_precision(path, logger, header, rows):
    """Log the average precision of each class and their mean, and write that of each class as csv.

    Args:
        path (Path): A .csv file.
        logger (Logger): Where to log.
        header (Sequence[str]): Names of the columns.
        rows (Sequence[tuple]): Of each class its id, its name, how many true ones and predictions there are, and its
            average precisions, floats from 0 to 1, NaN where nothing is to be found.
    """
    counts = (sum(row[column] for row in rows) for column in (2, 3))
    total = ['', 'all', *counts, *np.nanmean([row[4:] for row in rows], axis=0).tolist()]
    logger.info(f'Average precision by class, in percent:\n{as_text(header, [*rows, total])}')
    write_csv(path, header, rows)


def _cell(value, form, scale, nothing):
    if not isinstance(value, float):
        return str(value)
    return nothing if np.isnan(value) else form.format(scale * value)
