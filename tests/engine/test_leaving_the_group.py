"""The end of a run of several processes on CPUs."""

import time
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # later, it would take the group for its functions' defaults
from torch.nn.parallel import DistributedDataParallel

from twlv_mm.engine.runner import _leave_group

from ..commands import Fork


class Slow:
    def __del__(self):
        time.sleep(1)


def leave_group(rank, store):
    """What may happen when a run ends: gloo's thread is freeing the tensors of the last reduction, for which it needs
    Python's lock, while the process leaves the group. Here that takes a second, and begins in half a second."""
    dist.init_process_group('gloo', store=dist.FileStore(store, 2), rank=rank, world_size=2)
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
    threads = [path.read_text() for path in Path('/proc/self/task').glob('*/comm')]
    assert not any('gloo' in name for name in threads), threads


def test_processes_leave_their_group_with_all_of_its_threads_while_these_free_tensors(tmp_path):
    processes = [Fork(leave_group, rank, str(tmp_path / 'store')) for rank in range(2)]
    assert [process.finish() for process in processes] == 2 * [SimpleNamespace(returncode=0, stdout='', stderr='')]
