"""The description of an encoder: every number that a task needs."""

import math
from dataclasses import dataclass
from numbers import Real

# Channel statistics on the scale of mmaction2's ActionDataPreprocessor, 0-255.
IMAGENET = dict(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
OPENAI_CLIP = dict(mean=(122.7709, 116.7460, 104.0937), std=(68.5005, 66.6322, 70.3232))


@dataclass(frozen=True, kw_only=True)
class EncoderSpec:
    """The inputs and outputs of an encoder.

    Args:
        name (str): Its name in results, reports and folders.
        source (str): SOURCE, from which :func:`twlv_mm.get_model` builds it.
        num_frames (int): Frames of a clip.
        img_size (int): Side of the square input in pixels.
        grid (tuple[int, int, int], optional): T', H', W' of the feature map of such a clip; None if it has no feature
            map, only vectors or tokens without positions.
        embed_dims (int): Channels of a token and of the feature map.
        embedding_dims (int, optional): Length of its own pooled vector; ``embed_dims`` if None.
        num_heads (int): Attention heads of a probe on its tokens; divides ``embed_dims``.
        pooling (str): Its own pooling: 'mean', 'class_token', or another name if it pools by itself.
        class_token (bool): Whether its tokens begin with class tokens.
        per_frame (bool): Whether it encodes each frame alone.
        mean (tuple[float]): Channel means of the input (RGB, 0-255).
        std (tuple[float]): Channel standard deviations of the input (RGB, 0-255).
        resize (str): How a frame becomes a square: 'short_side' and a centre crop, or 'squash'.
        interpolation (str): OpenCV's: 'nearest', 'bilinear', 'bicubic', 'area' or 'lanczos'.
        pretraining_sets (tuple[str], optional): Datasets that its official weights were trained on, names as in
            results.json; the report flags results on these datasets. None if unknown.
    """

    name: str
    source: str = ''
    num_frames: int
    img_size: int
    grid: tuple | None
    embed_dims: int
    embedding_dims: int | None = None
    num_heads: int = 16
    pooling: str = 'mean'
    class_token: bool = False
    per_frame: bool = False
    mean: tuple = IMAGENET['mean']
    std: tuple = IMAGENET['std']
    resize: str = 'short_side'
    interpolation: str = 'bilinear'
    pretraining_sets: tuple | None = None

    def __post_init__(self):
        if self.embedding_dims is None:
            object.__setattr__(self, 'embedding_dims', self.embed_dims)
        # Lists come from JSON files and configs.
        for key in ('grid', 'mean', 'std', 'pretraining_sets'):
            if isinstance(getattr(self, key), list):
                object.__setattr__(self, key, tuple(getattr(self, key)))
        for key in ('num_frames', 'img_size', 'embed_dims', 'embedding_dims', 'num_heads'):
            value = getattr(self, key)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f'the encoder {self.name} has {key}={value!r}; it must be a positive integer')
        if self.embed_dims % self.num_heads:
            raise ValueError(
                f'{self.name}: embed_dims={self.embed_dims} is not a multiple of num_heads={self.num_heads}'
            )
        if self.grid is not None and (len(self.grid) != 3 or min(self.grid) < 1):
            raise ValueError(
                f"the encoder {self.name} has grid={self.grid!r}; it must be (T', H', W'), or None without a map"
            )
        for key in ('mean', 'std'):
            value = getattr(self, key)
            if not isinstance(value, tuple) or len(value) != 3 or not all(isinstance(one, Real) for one in value):
                raise ValueError(f'the encoder {self.name} has {key}={value!r}; it must be three numbers')
        if not min(self.std) >= 1:
            raise ValueError(
                f'the encoder {self.name} has std={self.std}; mean and std are for values from 0 to 255: multiply '
                'those for values from 0 to 1 by 255'
            )
        for key, known in (
            ('resize', ('short_side', 'squash')),
            ('interpolation', ('nearest', 'bilinear', 'bicubic', 'area', 'lanczos')),
        ):
            if getattr(self, key) not in known:
                raise ValueError(
                    f'the encoder {self.name} has {key}={getattr(self, key)!r}; it must be one of {", ".join(known)}'
                )

    @property
    def tubelet_size(self):
        """Frames of the input per step of the feature map; all of them without a map."""
        return self.num_frames if self.grid is None else math.ceil(self.num_frames / self.grid[0])

    @property
    def patch_size(self):
        """Pixels of the input per pixel of the feature map; all of them without a map."""
        return self.img_size if self.grid is None else math.ceil(self.img_size / self.grid[1])

    def require_map(self, task):
        """Raise ValueError if the encoder has no feature map, which ``task`` needs."""
        if self.grid is None:
            raise ValueError(
                f"{task} needs a feature map (N, D, T', H', W'), but the encoder {self.name} returns only vectors: "
                'choose an encoder whose spec has a grid'
            )


def probe_heads(embed_dims, num_heads=16):
    """The largest number of heads up to ``num_heads`` that divides a width."""
    return max(heads for heads in range(1, num_heads + 1) if embed_dims % heads == 0)
