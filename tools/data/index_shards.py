#!/usr/bin/env python
"""WebDataset shards: write the index that pretraining reads them by (docs/pretraining_data.md)."""

import sys

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

from twlv_mm.pretraining import index_shards

if __name__ == '__main__':
    sys.exit(index_shards())
