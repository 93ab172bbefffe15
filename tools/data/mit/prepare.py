#!/usr/bin/env python
"""Moments in Time: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import MIT, main
from twlv_mm.system_errors import run_tool

if __name__ == '__main__':
    run_tool(lambda: main(MIT))
