#!/usr/bin/env bash
# Embed videos on a slurm cluster; slurm_run.sh says what the environment may set.
set -euo pipefail

if (($# < 4)); then
    echo "usage: $0 PARTITION JOB_NAME MODEL INPUT [arguments of extract.py]" >&2
    exit 2
fi
# A process that could not read some of its videos says so by its exit code; the others go on.
export KILL_ON_BAD_EXIT=${KILL_ON_BAD_EXIT:-0}
exec bash "$(dirname "${BASH_SOURCE[0]}")/slurm_run.sh" "$1" "$2" extract.py "$3" "$4" --launcher slurm "${@:5}"
