"""Measure the speed of encoders, relative to matrix products on the same machine in the same process."""

import time
from functools import cache

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from .precision import PRECISIONS
from .sources import get_model


def best_of(function, seconds=3.0, least=3):
    """The shortest time of a call in seconds, after one warm-up; calls for ``seconds``, and at least ``least`` times.

    With ``least=0``, a call that takes longer than ``seconds`` is the only one.
    """
    times, end = [], time.perf_counter() + seconds
    while len(times) < least + 1 or time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times[1:] or times)


@cache
def matmul_rate(dtype, device='cpu'):
    """The machine's best matrix-product rate in FLOP/s over several shapes; measured once per process."""
    rates = []
    for m, k, n in ((2048, 2048, 2048), (1568, 768, 3072), (3136, 3072, 768), (4096, 1024, 4096)):
        a, b = torch.randn(m, k, device=device, dtype=dtype), torch.randn(n, k, device=device, dtype=dtype)
        rates.append(2 * m * k * n / best_of(lambda a=a, b=b: _synchronised(torch.nn.functional.linear, a, b), 1.0))
    return max(rates)


def encoder_rate(name, precision='fp32', batch_size=1, device='cpu', seconds=3.0, least=3, **overrides):
    """Clips and FLOPs per second of an encoder, relative to the machine's best matrix-product rate.

    Args:
        name (str): SOURCE, as for :func:`twlv_mm.describe`.
        precision (str): 'fp32', or 'bf16' or 'fp16' under autocast.
        batch_size (int): Clips at once.
        device (str): Where to encode.
        seconds, least: As for :func:`best_of`.
        **overrides: As for :func:`twlv_mm.get_model`.

    Returns:
        dict: clips_per_second, gflops (per second, of the matrix products), best_matmul_gflops, share (of that rate),
        and the items of :func:`encoder_size`.
    """
    torch.set_flush_denormal(True)  # random weights make denormal numbers, trained ones do not
    size = encoder_size(name, **overrides)
    if ':' in name:  # other libraries' models compute tables and indices when they are built
        model = get_model(name, **overrides).eval().to(device)
    else:
        with torch.device('meta'):
            model = get_model(name, **overrides).eval()
        model.to_empty(device=device)
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.data.uniform_(-0.02, 0.02)  # proper initialisation takes minutes for a billion parameters
    spec = model.spec
    video = torch.randn(batch_size, 3, spec.num_frames, spec.img_size, spec.img_size, device=device)
    autocast = torch.autocast(device.split(':')[0], PRECISIONS[precision], enabled=precision != 'fp32')
    with torch.inference_mode(), autocast:
        clip_seconds = best_of(lambda: _synchronised(model.embed, video), seconds, least) / batch_size
    flops, best = size['gflop'] / clip_seconds, matmul_rate(PRECISIONS[precision], device) / 1e9
    return dict(size, clips_per_second=1 / clip_seconds, gflops=flops, best_matmul_gflops=best, share=flops / best)


def encoder_size(name, **overrides):
    """The size of an encoder (arguments as for :func:`twlv_mm.get_model`), without computing anything.

    Returns:
        dict: frames and pixels of a clip, parameters, tokens (of a clip), gflop (of a clip's matrix products, counting
        a multiplication and an addition as two).
    """
    # The counter does not count the CPU's fused attention.
    with torch.device('meta'), torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model = get_model(name, **overrides).eval().requires_grad_(False)  # or the counter would track gradients
        spec = model.spec
        video = torch.empty(1, 3, spec.num_frames, spec.img_size, spec.img_size)
        with FlopCounterMode(display=False) as counter:
            model.embed(video)
        tokens = model.tokens(video).shape[1]
    return dict(
        frames=spec.num_frames,
        pixels=spec.img_size,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        tokens=tokens,
        gflop=counter.get_total_flops() / 1e9,
    )


def _synchronised(function, *args):
    result = function(*args)
    if result.is_cuda:
        torch.cuda.synchronize()
    return result
