"""The paper's tables as data: paper_tables.json, with their source."""

import json
from pathlib import Path


def read_paper_tables():
    """Read the tables.

    Returns:
        dict: source (str); read_from (str); tables: number of a table -> title, columns, rows, and note where
        something is odd or was read with a choice. In the tables of results (3, 5, 6, 9 to 12) a column is a pair of
        group and name, and a row a dict: method, arch, values (in percent, None where the paper has none), dagger
        (data sets that were in the method's pretraining, where the paper marks any), note (whose numbers they are,
        where not the paper's own).
    """
    return json.loads(Path(__file__).with_name('paper_tables.json').read_text(encoding='utf-8'))
