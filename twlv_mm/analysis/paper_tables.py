"""The paper's tables as data: paper_tables.json, as far as the text of the paper that we have can be read."""

import json
from pathlib import Path


def read_paper_tables():
    """Read the tables.

    Returns:
        dict: source (str); unreadable: number of a table -> what it is about; tables: number of a table -> title,
        columns, rows, and note where something is odd. In the tables of results (3, 5, 12) a column is a pair of data
        set and metric, and a row a dict: method, arch, values (in percent, None where the paper has none), dagger
        (data sets that were in the method's pretraining, where the paper marks any), note (whose numbers they are,
        where not the paper's own).
    """
    return json.loads(Path(__file__).with_name('paper_tables.json').read_text(encoding='utf-8'))
