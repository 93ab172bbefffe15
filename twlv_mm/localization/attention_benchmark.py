"""What local attention saves in training: steps of ActionFormer with it, and with masked attention over all steps."""

import multiprocessing
import resource
import time
from functools import partial

import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from . import pyramid
from .actionformer import ActionFormer


def benchmark_local_attention(length=2304, batch_size=2, in_channels=1024, iterations=3, **model):
    """Time and memory of a training step, forward and backward, with local attention and with attention over all steps.

    Each way runs in a process of its own on the CPU, one after the other.

    Args:
        length (int): Steps of a video.
        batch_size (int): Videos.
        in_channels (int): Numbers of an embedding.
        iterations (int): Steps, after one to warm up; the fastest counts.
        **model: Other arguments of :class:`ActionFormer`.

    Returns:
        dict[str, dict]: 'local'; 'full', a softmax over the scores of all pairs of steps; 'fused', PyTorch's fused
        kernel with a mask. Each has seconds (wall clock), cpu_seconds and peak_bytes (beyond what the process ever held
        before the first step).
    """
    context = multiprocessing.get_context('spawn')
    rates = {}
    for name in ('local', *FULL):
        with context.Pool(1) as pool:
            rates[name] = pool.apply(
                measure, (name, length, batch_size, in_channels, iterations, torch.get_num_threads(), model)
            )
    return rates


def full_attention(query, key, value, valid, num_heads, window, fused=False):
    """The same as :func:`local_attention` where a step is valid, by a mask of all steps by all steps.

    Args: see :func:`local_attention`; ``fused`` takes PyTorch's fused kernel.
    """
    query, key, value = (x.unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (query, key, value))
    places = torch.arange(query.shape[2], device=query.device)
    distance = (places[:, None] - places).abs()
    # Steps that see none of the valid ones see themselves, and their result is thrown away.
    seen = ((valid[:, None] & (distance <= window // 2)) | (distance == 0))[:, None]
    if fused:
        x = F.scaled_dot_product_attention(query, key, value, seen)
    else:
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        x = scores.masked_fill(~seen, -torch.inf).softmax(-1) @ value
    return x.transpose(1, 2).flatten(2)


FULL = dict(full=full_attention, fused=partial(full_attention, fused=True))


def measure(name, length, batch_size, in_channels, iterations, threads, arguments):
    """Measure one way, in a process that does nothing else.

    Args: see :func:`benchmark_local_attention`; the name of the way, the threads to use, and ``model`` as a dict.

    Returns:
        dict: seconds, cpu_seconds and peak_bytes.
    """
    torch.set_num_threads(threads)
    if name in FULL:
        pyramid.local_attention = FULL[name]
    torch.manual_seed(0)
    model = ActionFormer(**dict(num_classes=20, in_channels=in_channels) | arguments)
    inputs = [torch.randn(in_channels, length) for _ in range(batch_size)]
    actions = InstanceData(segments=torch.tensor([[length / 8, length / 4]]), labels=torch.tensor([0]))
    meta = dict(video_id='random', duration=float(length), origin=0.0, step=1.0)
    samples = [ActionDataSample(gt_instances=actions, metainfo=meta) for _ in range(batch_size)]
    before = _peak_bytes()
    times = []
    for _ in range(1 + iterations):
        start, cpu = time.perf_counter(), time.process_time()
        sum(model(inputs, samples, mode='loss').values()).backward()
        times.append((time.perf_counter() - start, time.process_time() - cpu))
        model.zero_grad()
    seconds, cpu_seconds = (min(column) for column in zip(*times[1:], strict=True))
    return dict(seconds=seconds, cpu_seconds=cpu_seconds, peak_bytes=_peak_bytes() - before)


def _peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
