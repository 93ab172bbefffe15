"""The paper's tables as data, with their source: paper_tables.json."""

import json
from pathlib import Path


def read_paper_tables():
    """Read the paper's tables.

    Returns:
        dict: source (str); read_from (str); tables: number of a table -> title, columns, rows, and a note on oddities.
        In the result tables (3, 5, 6, 9 to 12) a column is a pair of group and name, and a row has method, arch,
        values (percent or None), dagger (datasets in the method's pretraining) and note (source of numbers that
        are not the paper's own).
    """
    return json.loads(Path(__file__).with_name('paper_tables.json').read_text(encoding='utf-8'))
