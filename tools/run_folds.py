"""Train and test on each fold of a dataset: python tools/run_folds.py CONFIG [--help for the arguments]."""

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.engine import folds
from twlv_mm.system_errors import run_tool

if __name__ == '__main__':
    run_tool(folds.main_folds)
