#!/usr/bin/env python
"""Something-Something v2: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import SSV2, main
from twlv_mm.system_errors import run_tool

if __name__ == '__main__':
    run_tool(lambda: main(SSV2))
