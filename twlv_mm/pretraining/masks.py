"""Masks: which patches the encoder sees, and which are to be predicted."""

import math

import torch

from twlv_mm.registry import MODELS


class Mask:
    """A way to mask clips; in configs an entry of the pretrainer's ``masks``.

    ``teacher`` names the teacher whose attention it needs, if any.
    """

    teacher = None

    def __call__(self, grid, generators, attention=None):
        """Draw a mask for each of N clips with L = T' x H' x W' patches.

        A clip's mask depends on its own generator, on the CPU, and on the first one where masks of a batch share
        something. ``attention`` (N, L) is what the patches receive from :attr:`teacher`.

        Returns:
            tuple[Tensor, Tensor]: (N, K) and (N, M) int64, ascending indices of the visible patches and of those to
            predict.
        """
        raise NotImplementedError


class _Ratio(Mask):
    """A mask of a fixed share of the patches; at least one patch (or tube) is visible and one is masked."""

    def __init__(self, ratio):
        if not 0 < ratio < 1:
            raise ValueError(f'a mask has ratio={ratio}; it must be between 0 and 1')
        self.ratio = ratio

    def _split(self, scores):
        """Indices (N, K) of the smallest of (N, L) scores, and those of the others."""
        length = scores.shape[1]
        if length < 2:
            raise ValueError(f'a clip of {length} patch cannot be masked: use smaller patches or a larger frame')
        masked = min(max(int(length * self.ratio), 1), length - 1)
        seen, hidden = scores.argsort(1).tensor_split([length - masked], dim=1)
        return seen.sort(1).values, hidden.sort(1).values


@MODELS.register_module()
class RandomMask(_Ratio):
    """Mask a share of the patches at random; ``type='twlv_mm.RandomMask'``.

    Source: MAE-ST (Feichtenhofer et al. 2022), with ratio=0.9.
    """

    def __call__(self, grid, generators, attention=None):
        return self._split(_random(generators, math.prod(grid)))


@MODELS.register_module()
class TubeMask(_Ratio):
    """Mask the same patches in all frames; ``type='twlv_mm.TubeMask'``.

    Source: VideoMAE (Tong et al. 2022), with ratio=0.9.
    """

    def __call__(self, grid, generators, attention=None):
        area = grid[1] * grid[2]
        starts = torch.arange(grid[0])[:, None] * area
        return tuple((starts + part[:, None]).flatten(1) for part in self._split(_random(generators, area)))


@MODELS.register_module()
class MultiBlockMask(Mask):
    """Mask the union of some blocks; ``type='twlv_mm.MultiBlockMask'``.

    Blocks of a batch have one size, but each clip has its own positions. The clips differ in how many patches are
    inside and outside of their blocks: all are reduced to the smallest numbers, and the surplus, chosen at random
    (V-JEPA: the last ones), is neither visible nor predicted.

    Args:
        blocks (int): Number of blocks. V-JEPA: 8 for its short-range mask, 2 for the long-range one.
        spatial (tuple[float, float]): Smallest and largest share of the frame that a block covers. V-JEPA: 0.15
            short, 0.7 long.
        temporal (tuple[float, float]): The same of the clip's length. V-JEPA: 1.
        aspect (tuple[float, float]): Smallest and largest height / width. V-JEPA: 0.75 to 1.5.

    Source: V-JEPA (Bardes et al. 2024), section 3.2, and the official configs vitl16.yaml and vith16.yaml.
    """

    def __init__(self, blocks, spatial, temporal=(1.0, 1.0), aspect=(0.75, 1.5)):
        for name, (low, high), most in (('spatial', spatial, 1), ('temporal', temporal, 1), ('aspect', aspect, 100)):
            if not 0 < low <= high <= most:
                raise ValueError(f'{name}=({low}, {high}) must be a range above 0 and up to {most}')
        if blocks < 1:
            raise ValueError(f'blocks={blocks}; there must be 1 or more')
        self.blocks = blocks
        self.spatial, self.temporal, self.aspect = spatial, temporal, aspect

    def __call__(self, grid, generators, attention=None):
        size = self._block_size(grid, generators[0])
        hidden = [self._hidden(grid, size, generator).flatten() for generator in generators]
        seen = min(int((~one).sum()) for one in hidden)
        masked = min(int(one.sum()) for one in hidden)
        # The smallest of random scores in [0, 1) are chosen; excluded patches have a score of 2.
        scores = _random(generators, math.prod(grid))
        hidden = torch.stack(hidden)
        return tuple(
            scores.masked_fill(others, 2).topk(count, dim=1, largest=False).indices.sort(1).values
            for count, others in ((seen, hidden), (masked, ~hidden))
        )

    def _block_size(self, grid, generator):
        time, area, aspect = (
            low + (high - low) * float(torch.rand(1, generator=generator))
            for low, high in (self.temporal, self.spatial, self.aspect)
        )
        area = int(area * grid[1] * grid[2])
        sides = math.sqrt(area * aspect), math.sqrt(area / aspect)
        return max(int(grid[0] * time), 1), *(min(max(round(s), 1), g) for s, g in zip(sides, grid[1:], strict=True))

    def _hidden(self, grid, size, generator):
        """(T', H', W') bool, drawn again while nothing is visible."""
        for _ in range(1000):
            hidden = torch.zeros(grid, dtype=torch.bool)
            for _ in range(self.blocks):
                starts = (
                    int(torch.randint(whole - part + 1, (1,), generator=generator))
                    for whole, part in zip(grid, size, strict=True)
                )
                hidden[tuple(slice(start, start + part) for start, part in zip(starts, size, strict=True))] = True
            if not hidden.all():
                return hidden
        raise ValueError(
            f'{self.blocks} blocks of {" x ".join(map(str, size))} patches always cover a clip of '
            f'{" x ".join(map(str, grid))}: use fewer blocks or a smaller spatial share'
        )


@MODELS.register_module()
class SemanticMask(_Ratio):
    """Show the patches that a teacher attends to, and mask a share; ``type='twlv_mm.SemanticMask'``.

    Patches are drawn with probabilities in proportion to the attention that they receive in the last block of the
    pretrainer's ``teacher`` of that name: from the class token if there is one, else on average over all tokens. Every
    slice of time has the same number of them.

    Source: UMT (Li et al. 2023), section 3.2, with ratio=0.8.
    """

    def __init__(self, ratio, teacher):
        super().__init__(ratio)
        self.teacher = teacher

    def __call__(self, grid, generators, attention=None):
        # Weighted sampling without replacement: the first arrivals of exponential clocks with these rates.
        clocks = -torch.log1p(-_random(generators, math.prod(grid))) / attention.cpu().clamp(min=1e-12)
        area = grid[1] * grid[2]
        slices = clocks.unflatten(1, (grid[0], area)).flatten(0, 1)
        starts = torch.arange(grid[0])[:, None] * area
        return tuple((part.unflatten(0, (-1, grid[0])) + starts).flatten(1) for part in self._split(slices))


def _random(generators, length):
    return torch.stack([torch.rand(length, generator=generator) for generator in generators])
