"""Train a model: python tools/train.py CONFIG [--help for the arguments]."""

import twlv_mm  # noqa: F401  isort: skip  before anything that it mends

from twlv_mm.engine import launch

if __name__ == '__main__':
    launch.main_train()
