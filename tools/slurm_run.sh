#!/usr/bin/env bash
# Run a tool of this folder on a slurm cluster:  slurm_run.sh PARTITION JOB_NAME TOOL.py [arguments of the tool]
# In the environment: GPUS (8), GPUS_PER_NODE (8), CPUS_PER_TASK (5), KILL_ON_BAD_EXIT (1), SRUN_ARGS; PYTHON chooses
# the interpreter.
set -euo pipefail

GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
read -ra SRUN_ARGS <<<"${SRUN_ARGS:-}"

# As torchrun does: configs that accumulate gradients to a batch read it.
export WORLD_SIZE=$GPUS
# mmengine reads MASTER_PORT; jobs that share a machine should not share it.
export MASTER_PORT=${MASTER_PORT:-$((12000 + RANDOM % 20000))}
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}"
exec srun -p "$1" --job-name="$2" --gres=gpu:"$GPUS_PER_NODE" --ntasks="$GPUS" --ntasks-per-node="$GPUS_PER_NODE" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit="${KILL_ON_BAD_EXIT:-1}" ${SRUN_ARGS[@]+"${SRUN_ARGS[@]}"} \
    "${PYTHON:-python}" -u "$TOOLS/$3" "${@:4}"
