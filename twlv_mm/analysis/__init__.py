"""Looking at what encoders and runs have found: the report, and the evaluation of an encoder on everything.

report.py makes the page: run_records.py finds results.json, report_tables.py fills the paper's tables (paper_tables.json
has the paper's own numbers), report_figures.py draws, report_page.py writes. evaluation.py runs the tasks of
evaluation_tasks.py, which encoder_fit.py fits to an encoder.
"""
