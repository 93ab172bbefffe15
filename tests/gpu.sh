#!/usr/bin/env bash
# What only a GPU can show, in at most eight minutes, on a machine that has one: tests, speed, and a step of every task.
# Leaves gpu.json, or the file that is named as its argument.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
[ -x $python ] || python=python
exec $python benchmarks/gpu.py --device cuda --out "${1:-gpu.json}"
