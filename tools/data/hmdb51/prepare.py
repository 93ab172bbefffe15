#!/usr/bin/env python
"""HMDB51: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import HMDB51, main

if __name__ == '__main__':
    main(HMDB51)
