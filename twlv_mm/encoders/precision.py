"""Whether bf16 pays."""

from pathlib import Path

import torch

PRECISIONS = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
UNITS = {'avx512_bf16', 'amx_bf16'}  # as Linux calls them


def has_bf16_units(device='cpu', cpuinfo='/proc/cpuinfo'):
    """Whether a device multiplies in bf16, at twice the rate of fp32 or more; others emulate it and take longer.

    Args:
        device (str | torch.device): A CPU, which has AVX-512 BF16 or AMX; a GPU of CUDA, which is of compute capability
            8.0 or later; another accelerator, which is taken to have them.
        cpuinfo (str | Path): Where the system tells about its CPU; where there is no such file, the CPU is taken to
            have none.

    Returns:
        bool
    """
    kind = torch.device(device).type
    if kind == 'cpu':
        path = Path(cpuinfo)
        return path.exists() and not UNITS.isdisjoint(path.read_text().split())
    return kind != 'cuda' or torch.cuda.is_bf16_supported(including_emulation=False)
