"""How fast encoders are, beside the matrix products of the same machine in the same process."""

import time

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from twlv_mm.encoders import get_model

DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16}


def best_of(function, seconds=3.0):
    """Shortest time of a call, in seconds, over calls for about ``seconds`` (three at least, after one to warm up)."""
    function()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def matmul_rate(dtype, device='cpu'):
    """The machine's best matrix-product rate, in FLOP/s, over several shapes.

    Args:
        dtype (torch.dtype): Of the factors.
        device (str): Where to multiply.
    """
    rates = []
    for m, k, n in ((2048, 2048, 2048), (1568, 768, 3072), (3136, 3072, 768), (4096, 1024, 4096)):
        a, b = torch.randn(m, k, device=device, dtype=dtype), torch.randn(n, k, device=device, dtype=dtype)
        rates.append(2 * m * k * n / best_of(lambda a=a, b=b: _synchronised(torch.nn.functional.linear, a, b), 1.0))
    return max(rates)


def encoder_rate(name, precision='fp32', batch_size=1, device='cpu', **overrides):
    """Clips and FLOPs a second of an encoder, beside the machine's best matrix-product rate.

    Args:
        name (str): A name from :func:`twlv_mm.list_models`.
        precision (str): 'fp32', or 'bf16' under autocast.
        batch_size (int): Clips at once.
        device (str): Where to encode.
        **overrides: As for :func:`twlv_mm.get_model`.

    Returns:
        dict: gflop (a clip, of the matrix products), clips_per_second, gflops (a second), best_matmul_gflops, share (of
        that rate).
    """
    torch.set_flush_denormal(True)  # random weights make denormal numbers, trained ones do not
    model = get_model(name, **overrides).eval().to(device)
    arch = model.arch
    video = torch.randn(batch_size, 3, arch.num_frames, arch.img_size, arch.img_size, device=device)
    with torch.inference_mode(), torch.autocast(device.split(':')[0], torch.bfloat16, enabled=precision == 'bf16'):
        # The counter does not know the CPU's fused attention.
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            model.embed(video)
        seconds = best_of(lambda: _synchronised(model.embed, video))
    flop, best = counter.get_total_flops(), matmul_rate(DTYPES[precision], device)
    return dict(
        gflop=flop / batch_size / 1e9,
        clips_per_second=batch_size / seconds,
        gflops=flop / seconds / 1e9,
        best_matmul_gflops=best / 1e9,
        share=flop / seconds / best,
    )


def _synchronised(function, *args):
    result = function(*args)
    if result.is_cuda:
        torch.cuda.synchronize()
    return result
