"""Tables: csv files that are safe to open in a spreadsheet, and scores as text for the log."""

import csv
import logging
from pathlib import Path

import numpy as np
from mmengine.logging import MMLogger

from .checks import NUMBER, printable
from .files import writing

# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ('=', '+', '-', '@', '\t', '\r', '\n')


def write_table(path, header, rows, *, decimals=None):
    """Write a csv file.

    Text that a spreadsheet would run as a formula gets an apostrophe in front; control characters become escapes.

    Args:
        path (str | Path): The file, written atomically.
        header (Sequence[str]): Names of the columns.
        rows (Iterable[Sequence]): Cells.
        decimals (int, optional): Decimals of floats, with NaN as an empty cell; as Python prints them if None.
    """
    with writing(path, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(header)
        for row in rows:
            cells = row if decimals is None else [_rounded(cell, f'.{decimals}f', '') for cell in row]
            writer.writerow([_escaped(cell) for cell in cells])


def format_table(header, rows):
    """Lay out a table of scores as text; the second column, names, is left-aligned.

    Args:
        header (Sequence[str]): Names of the columns.
        rows (Sequence[Sequence]): Cells. Floats are fractions and shown in percent, NaN as '-'.

    Returns:
        str: lines of equal length.
    """
    lines = [header, *([str(_rounded(cell, '.2f', '-', scale=100)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return '\n'.join(
        '  '.join(cell.ljust(width) if place == 1 else cell.rjust(width) for place, (cell, width) in enumerate(cells))
        for cells in (zip(line, widths, strict=True) for line in lines)
    )


def write_class_precision(path, logger, header, rows):
    """Log the average precision of each class and the mean over classes, and write the classes to csv.

    Args:
        path (Path): A .csv file.
        logger (Logger): Where to log.
        header (Sequence[str]): Names of the columns.
        rows (Sequence[tuple]): For each class its id, name, number of ground-truth instances, number of predictions,
            then average precisions from 0 to 1, NaN without ground truth.
    """
    counts = (sum(row[column] for row in rows) for column in (2, 3))
    total = ['', 'all', *counts, *np.nanmean([row[4:] for row in rows], axis=0).tolist()]
    logger.info(f'Average precision by class, in percent:\n{format_table(header, [*rows, total])}')
    write_table(path, header, rows, decimals=4)


def log_folder():
    """Folder of the log of the current run, ``work_dirs/<config>/<time>``.

    A metric does not know its runner, but the runner's logger is the current one.
    """
    for handler in MMLogger.get_current_instance().handlers:
        if isinstance(handler, logging.FileHandler):
            return Path(handler.baseFilename).parent
    raise ValueError('no log file of a run to write tables beside: set out_dir of the metric')


def _rounded(value, form, nan, scale=1):
    if not isinstance(value, float):
        return value
    return nan if np.isnan(value) else format(scale * value, form)


def _escaped(value):
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    text = printable(value).replace('\n', '\\n').replace('\t', '\\t')
    return f"'{text}" if value.startswith(FORMULA) else text
