#!/usr/bin/env python
"""Check the data of a config in AVA's format: videos, boxes, actions, proposals. Exit code 1: a run would go wrong."""

import argparse
import sys

from mmengine.config import Config, DictAction

import twlv_mm  # noqa: F401  before a config is read
from twlv_mm.detection.data_check import check_config
from twlv_mm.records.checks import printable
from twlv_mm.system_errors import run_tool


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='such as configs/twlv/ava_stal.py')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='as for tools/train.py')
    args = parser.parse_args()
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    report = check_config(cfg)
    for kind, sentences in (('warning', report.warnings), ('error', report.errors)):
        for sentence in sentences:
            print(printable(f'{kind}: {sentence}'))
    print(f'{len(report.errors)} errors, {len(report.warnings)} warnings')
    sys.exit(int(bool(report.errors)))


if __name__ == '__main__':
    run_tool(main)
