"""Two settings turn every checkpoint into a program: an old torch, and an environment variable.

Below torch 2.6, ``torch.load`` unpickles anything by default and its ``weights_only=True`` could be broken out of
(CVE-2025-32434). With ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD`` set, torch does so again wherever a caller leaves the
argument out, which mmengine, mmdet and mmaction2 all do. Both are refused at import, before a file is opened.
"""

import os

import torch
from mmengine.utils import digit_version

VARIABLE = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'


def apply():
    """Check that checkpoints cannot run code.

    Raises:
        RuntimeError: if torch is older than 2.6 or the variable has one of the values that torch takes for true.
    """
    if digit_version(torch.__version__) < digit_version('2.6'):
        raise RuntimeError(
            f'twlv_mm needs torch >= 2.6, found {torch.__version__}: in older versions a checkpoint can run code '
            'while it loads (CVE-2025-32434). Install a newer torch.'
        )
    if os.environ.get(VARIABLE, '').lower() in ('1', 'y', 'yes', 'true'):
        raise RuntimeError(
            f'{VARIABLE}={os.environ[VARIABLE]} is set. With it, torch runs any code that a checkpoint contains. '
            f'Remove it: unset {VARIABLE}'
        )
