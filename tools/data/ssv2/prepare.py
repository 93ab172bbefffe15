#!/usr/bin/env python
"""Something-Something v2: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import SSV2, main

if __name__ == '__main__':
    main(SSV2)
