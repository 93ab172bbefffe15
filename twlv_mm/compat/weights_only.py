"""An old torch, or an environment variable, lets every checkpoint run code.

Below torch 2.6, ``torch.load`` unpickles anything by default, and ``weights_only=True`` can be bypassed
(CVE-2025-32434). With ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD`` set, torch does so again wherever the argument is left out,
as in mmengine, mmdet and mmaction2. Both are refused at import.
"""

import os

import torch
from mmengine.utils import digit_version

VARIABLE = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'


def apply():
    """Raise RuntimeError if checkpoints could run code."""
    if digit_version(torch.__version__) < digit_version('2.6'):
        raise RuntimeError(
            f'twlv_mm needs torch >= 2.6, found {torch.__version__}: in older versions a checkpoint can run code '
            'while it loads (CVE-2025-32434). Install a newer torch.'
        )
    if os.environ.get(VARIABLE, '').lower() in ('1', 'y', 'yes', 'true'):
        raise RuntimeError(
            f'{VARIABLE}={os.environ[VARIABLE]} is set: with it, torch runs any code in a checkpoint. '
            f'Remove it: unset {VARIABLE}'
        )
