#!/usr/bin/env python
"""ImageNet-1K: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import IMAGENET1K, main
from twlv_mm.system_errors import run_tool

if __name__ == '__main__':
    run_tool(lambda: main(IMAGENET1K))
