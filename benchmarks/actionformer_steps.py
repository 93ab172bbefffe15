"""Training steps of ActionFormer with local attention and with masked full attention."""

from functools import partial

import torch
import torch.nn.functional as F
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from benchmarks.steps import benchmark_steps
from twlv_mm.localization import pyramid
from twlv_mm.localization.actionformer import ActionFormer


def benchmark_local_attention(length=2304, batch_size=2, in_channels=1024, iterations=3, **model):
    """Time and memory of a training step, forward and backward, with local attention and with attention over all steps.

    Each way runs in a process of its own on the CPU, one after the other.

    Args:
        length (int): Steps of a video.
        batch_size (int): Videos.
        in_channels (int): Numbers of an embedding.
        iterations (int): Steps after one warm-up step; the fastest counts.
        **model: Other arguments of :class:`ActionFormer`.

    Returns:
        dict[str, dict]: 'local'; 'full', a softmax over the scores of all pairs of steps; 'fused', PyTorch's fused
        kernel with a mask. Each as :func:`~benchmarks.steps.benchmark_steps` has it.
    """
    build = partial(training_step, length=length, batch_size=batch_size, in_channels=in_channels, **model)
    return benchmark_steps(build, ('local', *FULL), iterations)


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


def training_step(way, length, batch_size, in_channels, **model):
    """A model and a training step of it. Leaves ActionFormer with that attention, whichever is built later.

    Args: see :func:`benchmark_local_attention`; ``way`` is one that it returns.

    Returns:
        tuple[ActionFormer, Callable]: the model, and a function that returns its loss.
    """
    if way in FULL:
        pyramid.local_attention = FULL[way]
    model = ActionFormer(**dict(num_classes=20, in_channels=in_channels) | model)
    inputs = [torch.randn(in_channels, length) for _ in range(batch_size)]
    actions = InstanceData(segments=torch.tensor([[length / 8, length / 4]]), labels=torch.tensor([0]))
    meta = dict(video_id='random', duration=float(length), origin=0.0, step=1.0)
    samples = [ActionDataSample(gt_instances=actions, metainfo=meta) for _ in range(batch_size)]
    return model, lambda: sum(model(inputs, samples, mode='loss').values())
