"""From results.json to a page.

report.py makes the report of any number of runs: run_records.py finds results.json, tables.py fills the paper's tables
(paper_tables.json has its own numbers), figures.py, overview.py and embeddings.py draw, page.py writes.
"""

from .embeddings import View
from .paper_tables import read_paper_tables
from .report import TITLE, make_report, write_report
from .run_records import find_runs

__all__ = ['TITLE', 'View', 'find_runs', 'make_report', 'read_paper_tables', 'write_report']
