"""What importing the package leaves as it was: numpy, torch, logging and everything else that a process shares."""

import json
import subprocess
import sys

# Upstream's own effects are no part of this: they come first.
SNAPSHOT = """
import json, locale, logging, multiprocessing, os, random, signal, sys, warnings
import cv2, numpy as np, sympy, torch, torch.distributed.tensor, decord, av, mmengine, mmcv

def hashed(value):
    return hash(str(value))

def snapshot():
    return dict(
        numpy=sorted(dir(np)),
        numpy_printing=str(np.get_printoptions()),
        numpy_errors=np.geterr(),
        torch=[str(one) for one in (
            torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(),
            torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32,
            torch.backends.mkldnn.enabled, torch.__dict__['load'] is LOAD,
            torch.multiprocessing.get_sharing_strategy())],
        seeds=[hashed(random.getstate()), hashed(np.random.get_state()), hashed(torch.get_rng_state().tolist())],
        warnings=[str(one) for one in warnings.filters],
        logging=[logging.root.level, len(logging.root.handlers), logging.getLogger('mmengine').level],
        environment=dict(os.environ),
        path=sys.path,
        signals=[str(signal.getsignal(one)) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
        processes=multiprocessing.get_start_method(allow_none=True),
        opencv=[cv2.getNumThreads(), cv2.ocl.useOpenCL()],
        hooks=[sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__, sys.getrecursionlimit()],
        locale=str(locale.getlocale()),
    )

LOAD = torch.load
before = snapshot()
import twlv_mm
after = snapshot()
print(json.dumps({key: [before[key], after[key]] for key in before if before[key] != after[key]}))
"""
# docs/install.md lists them.
NUMPY_NAMES = {'Inf', 'NAN', 'in1d', 'trapz'}


def test_importing_the_package_changes_nothing_that_the_docs_do_not_list():
    done = subprocess.run([sys.executable, '-c', SNAPSHOT], capture_output=True, text=True, check=True)
    changed = json.loads(done.stdout.splitlines()[-1])
    before, after = changed.pop('numpy', ([], []))
    assert set(after) - set(before) <= NUMPY_NAMES
    assert set(before) <= set(after)
    assert changed == {}
