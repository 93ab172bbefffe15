"""The average precision of each class: as a table in the log, and as a file."""

import csv

import numpy as np

HEADER = 'id', 'class', 'truth', 'predictions'


def write_class_table(path, logger, rows, names):
    """Log a table of the classes, and write it as csv.

    Args:
        path (Path): A .csv file.
        logger (Logger): Where to log.
        rows (Sequence[tuple]): Of each class its id, its name, how many true ones and predictions there are, and its
            average precisions, from 0 to 1, NaN where nothing is to be found.
        names (Sequence[str]): Of the average precisions.
    """
    precision = np.array([row[4:] for row in rows])
    mean = np.nanmean(precision, axis=0)
    lines = [[*HEADER, *names], *([*map(str, row[:4]), *_percent(row[4:])] for row in rows)]
    lines.append(['', 'all', *(str(sum(row[column] for row in rows)) for column in (2, 3)), *_percent(mean)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = '\n'.join(
        '  '.join(cell.ljust(width) if place == 1 else cell.rjust(width) for place, (cell, width) in enumerate(cells))
        for cells in (zip(line, widths, strict=True) for line in lines)
    )
    logger.info(f'Average precision by class, in percent:\n{text}')
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow((*HEADER, *names))
        writer.writerows((*row[:4], *('' if np.isnan(ap) else f'{ap:.4f}' for ap in row[4:])) for row in rows)


def _percent(values):
    return ['-' if np.isnan(value) else f'{100 * value:.2f}' for value in values]
