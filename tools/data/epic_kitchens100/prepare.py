#!/usr/bin/env python
"""EPIC-KITCHENS-100: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import EPIC_KITCHENS100, main

if __name__ == '__main__':
    main(EPIC_KITCHENS100)
