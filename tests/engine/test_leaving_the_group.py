"""The end of a run of several processes on CPUs."""

import os
import subprocess
import sys
from pathlib import Path

# What may happen when a run ends: gloo's thread is freeing the tensors of the last reduction, for which it needs
# Python's lock, while the process leaves the group. Here that takes a second, and begins in half a second.
PROCESS = """
import os, sys, time
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
import torch.distributed.nn.functional  # later, it would take the group for its functions' defaults
from twlv_mm.engine.runner import _leave_group

class Slow:
    def __del__(self):
        time.sleep(1)

rank = int(sys.argv[1])
dist.init_process_group('gloo', store=dist.FileStore(sys.argv[2], 2), rank=rank, world_size=2)
model = DistributedDataParallel(torch.nn.Linear(8, 8))
model.cycle = [model]  # as in a runner
del model
last = torch.ones(4)
if rank == 0:
    last.note = Slow()
    dist.all_reduce(last, async_op=True)
    del last
    time.sleep(1)
else:
    time.sleep(0.5)
    dist.all_reduce(last)
_leave_group()
threads = [open(f'/proc/self/task/{thread}/comm').read() for thread in os.listdir('/proc/self/task')]
assert not any('gloo' in name for name in threads), threads
"""


def test_processes_leave_their_group_with_all_of_its_threads_while_these_free_tensors(tmp_path):
    env = {**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])}
    processes = [
        subprocess.Popen([sys.executable, '-c', PROCESS, str(rank), tmp_path / 'store'], env=env) for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=300) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
