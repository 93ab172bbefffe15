"""Tables in csv that a spreadsheet shows as they are."""

import csv

from .checks import NUMBER, printable
from .files import writing

# What makes a spreadsheet take a cell for a formula.
FORMULA = ('=', '+', '-', '@', '\t', '\r', '\n')


def write_table(path, header, rows):
    """Write a csv file.

    Text that a spreadsheet would run as a formula gets an apostrophe in front; control characters become escapes.

    Args:
        path (str | Path): The file, which appears when it is complete.
        header (Sequence[str]): Names of the columns.
        rows (Iterable[Sequence]): Their cells; numbers stay as they are.
    """
    with writing(path, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(header)
        writer.writerows([_cell(cell) for cell in row] for row in rows)


def _cell(value):
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    text = printable(value).replace('\n', '\\n').replace('\t', '\\t')
    return f"'{text}" if value.startswith(FORMULA) else text
