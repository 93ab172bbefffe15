#!/usr/bin/env python
"""WebDataset shards: write the index that pretraining reads them by (docs/pretraining_data.md)."""

import sys

import twlv_mm  # noqa: F401  isort: skip  applies the fixes of twlv_mm.compat

from twlv_mm.pretraining import index_shards
from twlv_mm.system_errors import run_tool

if __name__ == '__main__':
    run_tool(lambda: sys.exit(index_shards()))
