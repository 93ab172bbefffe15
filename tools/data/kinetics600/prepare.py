#!/usr/bin/env python
"""Kinetics-600: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import KINETICS600, main

if __name__ == '__main__':
    main(KINETICS600)
