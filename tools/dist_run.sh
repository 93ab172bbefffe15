#!/usr/bin/env bash
# Run a tool of this folder in several processes:  dist_run.sh TOOL.py PROCESSES [arguments of the tool]
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT in the environment. PYTHON chooses the interpreter.
set -euo pipefail

NNODES=${NNODES:-1}
if [[ $NNODES == 1 && -z ${PORT:-} ]]; then
    # A free port, so that two jobs on one machine do not collide, at a name that needs no name server.
    RENDEZVOUS=(--standalone --local_addr=localhost)
else
    RENDEZVOUS=(--nnodes="$NNODES" --node_rank="${NODE_RANK:-0}"
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
fi
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}"
# Not -m, with which a torch.py or re.py in the current folder would run in place of the real one.
RUN='import sys; sys.path[0] or sys.path.pop(0)
from runpy import run_module; run_module("torch.distributed.run", run_name="__main__", alter_sys=True)'
exec "${PYTHON:-python}" -c "$RUN" "${RENDEZVOUS[@]}" --nproc_per_node="$2" "$TOOLS/$1" "${@:3}"
