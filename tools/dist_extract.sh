#!/usr/bin/env bash
# Embed videos on several GPUs, or in several processes on the CPU; for several machines see dist_run.sh.
set -euo pipefail

if (($# < 3)); then
    echo "usage: $0 MODEL INPUT GPUS [arguments of extract.py]" >&2
    exit 2
fi
exec bash "$(dirname "${BASH_SOURCE[0]}")/dist_run.sh" extract.py "$3" "$1" "$2" --launcher pytorch "${@:4}"
