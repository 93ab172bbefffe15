"""The report of any number of runs, from results.json to a page; and the error analysis page of one run.

report.py puts the report together: run_records.py finds results.json, tables.py fills the paper's tables
(table_layouts.py has their layouts, paper_tables.json their numbers), figures.py, overview.py and embedding_panels.py
draw, page.py writes. errors/ makes the error analysis page.
"""

from .embedding_panels import View
from .errors import write_errors
from .paper_tables import read_paper_tables
from .report import TITLE, make_report, write_report
from .run_records import find_runs

__all__ = ['TITLE', 'View', 'find_runs', 'make_report', 'read_paper_tables', 'write_errors', 'write_report']
