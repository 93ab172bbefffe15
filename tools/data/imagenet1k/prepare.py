#!/usr/bin/env python
"""ImageNet-1K: from the official annotation files to list files (docs/datasets.md)."""

from twlv_mm.recognition.datasets import IMAGENET1K, main

if __name__ == '__main__':
    main(IMAGENET1K)
