"""How fast encoding and reading are, each beside something that runs in the same process."""

import time

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from twlv_mm.encoders import get_model
from twlv_mm.video import frames_of_windows, iter_clips, open_video, sample_windows

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


def reading_rate(path, clip_seconds, stride_seconds, num_frames=16, size=224):
    """Time to decode and resize the clips of a video, ours beside mmaction2's pipeline with one sample a clip.

    Args:
        path (str): A video file.
        clip_seconds (float): T.
        stride_seconds (float): T_s.
        num_frames (int): N.
        size (int): Short side in pixels.

    Returns:
        dict: clips, ours and stock (seconds, the best of three), ratio (stock / ours).

    Raises:
        RuntimeError: if the two do not give the same clips.
    """
    import mmaction.datasets  # noqa: F401
    from mmengine.dataset import Compose
    from mmengine.registry import init_default_scope

    init_default_scope('mmaction')
    opening = Compose([dict(type='DecordInit')])
    decoding = Compose(
        [
            dict(type='DecordDecode'),
            dict(type='Resize', scale=(-1, size)),
            dict(type='CenterCrop', crop_size=size),
        ]
    )
    with open_video(path) as reader:
        windows = sample_windows(reader.frame_times, 'multi-clip', clip_seconds, stride_seconds)
        indices = frames_of_windows(reader.frame_times, windows, num_frames)

    def ours():
        with open_video(path) as reader:
            return list(iter_clips(reader, indices, size))

    def stock():
        clips = []
        for clip in indices:
            sample = opening(dict(filename=path, start_index=0, modality='RGB'))
            sample.update(frame_inds=clip, clip_len=num_frames, num_clips=1, frame_interval=None)
            clips.append(np.stack(decoding(sample)['imgs']))
        return clips

    if not all(np.array_equal(a, b) for a, b in zip(ours(), stock(), strict=True)):
        raise RuntimeError(f'{path}: the two ways give different clips')
    times = dict(ours=best_of(ours, 0), stock=best_of(stock, 0))
    return dict(clips=len(indices), **times, ratio=times['stock'] / times['ours'])


def _synchronised(function, *args):
    result = function(*args)
    if result.is_cuda:
        torch.cuda.synchronize()
    return result
