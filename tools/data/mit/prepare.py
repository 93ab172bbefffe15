#!/usr/bin/env python
"""Moments in Time: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import MIT, main

if __name__ == '__main__':
    main(MIT)
