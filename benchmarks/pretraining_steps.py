"""Pretraining steps that encode visible patches only, and steps that encode all patches."""

from functools import partial

import torch

from benchmarks.steps import benchmark_steps
from twlv_mm.encoders import get_architecture, take
from twlv_mm.pretraining.pretrainer import MaskedPretrainer

ALL = 'all encoded'


class EncodesAll(MaskedPretrainer):
    """The same, but the encoder runs on the whole clip, and its output for masked patches is dropped."""

    def encode(self, video, keep):
        return take(self.backbone.tokens(video), keep)


def benchmark_masks(arch='twlv_base', clips=1, ratios=(0.75, 0.9), iterations=2, **settings):
    """Time and memory of a training step, forward and backward, on the pixels of random masks.

    Args:
        arch (str): Of the encoder. The predictor is VideoMAE's: half as wide, 4 blocks.
        clips (int): Of a batch.
        ratios (Sequence[float]): Shares that are masked; the first is also masked where all is encoded.
        iterations (int): Steps after one warm-up step; the fastest counts.
        **settings: Other arguments of the encoder.

    Returns:
        dict[str, dict]: :data:`ALL`, '75% masked' and so on, as from :func:`~benchmarks.steps.benchmark_steps`.
    """
    ways = {ALL: ratios[0]} | {f'{ratio:.0%} masked': ratio for ratio in ratios}
    build = partial(training_step, ways=ways, arch=arch, clips=clips, **settings)
    return benchmark_steps(build, list(ways), iterations)


def training_step(way, ways, arch, clips, **settings):
    """A pretrainer and a training step of it.

    Args: see :func:`benchmark_masks`; ``way`` is one of ``ways``.

    Returns:
        tuple[nn.Module, Callable]: the pretrainer, and a function that returns its loss.
    """
    numbers = get_architecture(arch, **settings)
    model = (EncodesAll if way == ALL else MaskedPretrainer)(
        backbone=dict(type='twlv_mm.VideoViT', arch=arch, **settings),
        masks=[dict(type='twlv_mm.RandomMask', ratio=ways[way])],
        targets=dict(pixels=dict(type='twlv_mm.PixelTarget')),
        predictor=dict(dims=numbers.embed_dims // 2, depth=4, num_heads=numbers.num_heads // 2),
    )
    video = torch.randn(clips, 3, numbers.num_frames, numbers.img_size, numbers.img_size)
    return model, lambda: model(video)['loss_pixels']
