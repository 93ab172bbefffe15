#!/usr/bin/env python
"""Kinetics-400: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import KINETICS400, main

if __name__ == '__main__':
    main(KINETICS400)
