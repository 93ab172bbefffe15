"""Training steps of ASFormer with sliding-window attention and with full attention."""

from functools import partial

import torch
from mmaction.structures import ActionDataSample

from benchmarks.steps import benchmark_steps
from twlv_mm.segmentation.asformer import WINDOWS, ASFormer


def benchmark_windows(length=10000, in_channels=1024, iterations=1, **model):
    """Time and memory of a training step, forward and backward, of one video.

    Args:
        length (int): Steps of the video.
        in_channels (int): Numbers of an embedding.
        iterations (int): Steps after one warm-up step; the fastest counts.
        **model: Other arguments of :class:`ASFormer`.

    Returns:
        dict[str, dict]: 'sliding' and 'full' (PyTorch's fused kernel, whose memory is linear in length too), each as
        :func:`~benchmarks.steps.benchmark_steps` has it.
    """
    return benchmark_steps(partial(training_step, length=length, in_channels=in_channels, **model), WINDOWS, iterations)


def training_step(window, length, in_channels, **model):
    """A model and a training step of it.

    Args: see :func:`benchmark_windows`; ``window`` as for :class:`ASFormer`.

    Returns:
        tuple[ASFormer, Callable]: the model, and a function that returns its loss.
    """
    model = ASFormer(**dict(num_classes=19, in_channels=in_channels, window=window) | model)
    inputs = [torch.randn(in_channels, length)]
    sample = ActionDataSample(metainfo=dict(video_id='random'))
    sample.step_labels = torch.randint(0, model.num_classes, (length,))
    return model, lambda: sum(model(inputs, [sample], mode='loss').values())
