#!/usr/bin/env python
"""Diving-48: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import DIVING48, main

if __name__ == '__main__':
    main(DIVING48)
