#!/usr/bin/env bash
# Train on a slurm cluster; slurm_run.sh says what the environment may set.
set -euo pipefail

if (($# < 3)); then
    echo "usage: $0 PARTITION JOB_NAME CONFIG [arguments of train.py]" >&2
    exit 2
fi
exec bash "$(dirname "${BASH_SOURCE[0]}")/slurm_run.sh" "$1" "$2" train.py "$3" --launcher slurm "${@:4}"
