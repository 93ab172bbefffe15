"""From results.json to a page.

report.py makes the report of any number of runs: run_records.py finds results.json, tables.py fills the paper's tables
(paper_tables.json has its own numbers), figures.py, overview.py and embeddings.py draw, page.py writes.

errors_page.py shows what one test got wrong: errors.py finds the run, errors_of_videos.py, errors_of_segments.py and
errors_of_boxes.py read its predictions (on matching.py) into what error_cases.py defines.
"""

from .embeddings import View
from .errors_page import write_errors
from .paper_tables import read_paper_tables
from .report import TITLE, make_report, write_report
from .run_records import find_runs

__all__ = ['TITLE', 'View', 'find_runs', 'make_report', 'read_paper_tables', 'write_errors', 'write_report']
