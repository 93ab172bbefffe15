"""The precisions to compute in, and whether a device is faster in bf16."""

from pathlib import Path

import torch

PRECISIONS = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
UNITS = {'avx512_bf16', 'amx_bf16'}  # Linux's names of the CPU features


def has_bf16_units(device='cpu', cpuinfo='/proc/cpuinfo'):
    """Whether a device multiplies in bf16 natively; others emulate it and are slower than in fp32.

    Args:
        device (str | torch.device): A CPU is checked for AVX-512 BF16 or AMX, a CUDA GPU for compute capability 8.0;
            other accelerators are assumed to have them.
        cpuinfo (str | Path): Linux's description of its CPU; without that file, the CPU is assumed to have none.
    """
    kind = torch.device(device).type
    if kind == 'cpu':
        path = Path(cpuinfo)
        return path.exists() and not UNITS.isdisjoint(path.read_text().split())
    return kind != 'cuda' or torch.cuda.is_bf16_supported(including_emulation=False)
