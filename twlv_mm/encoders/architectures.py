"""The table of architectures: one row a model, numbers with their source."""

import dataclasses
import difflib
from dataclasses import dataclass

# The channel statistics that every ImageNet-style row uses, on the 0-255 scale of mmaction2's ActionDataPreprocessor.
IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Architecture:
    """What distinguishes one video vision transformer from another.

    Args:
        embed_dims (int): Width of a token.
        depth (int): Number of transformer blocks.
        num_heads (int): Attention heads a block; divides ``embed_dims``.
        mlp_ratio (float): Hidden width of a block's MLP, in units of ``embed_dims``.
        img_size (int): Side in pixels of the square input that the position table is made for.
        patch_size (int): Side of a patch in pixels.
        num_frames (int): Frames of the clip that the position table is made for.
        tubelet_size (int): Frames of a patch.
        position (str): Position table, a key of :data:`twlv_mm.encoders.position.TABLES`.
        class_token (bool): Whether a learnable class token goes before the patch tokens.
        norm_eps (float): Epsilon of every LayerNorm.
        pooling (str): The architecture's own way to one vector, a key of :data:`twlv_mm.encoders.pooling.POOLINGS`.
        mean (tuple[float]): Channel means of the input (RGB, 0-255).
        std (tuple[float]): Channel standard deviations of the input (RGB, 0-255).
        pretraining_sets (tuple[str], optional): Data sets its published weights were trained on; None if not known.
    """

    embed_dims: int
    depth: int
    num_heads: int
    mlp_ratio: float = 4.0
    img_size: int = 224
    patch_size: int = 16
    num_frames: int = 16
    tubelet_size: int = 2
    position: str = 'sincos_3d'
    class_token: bool = False
    norm_eps: float = 1e-6
    pooling: str = 'mean'
    mean: tuple = IMAGENET_MEAN
    std: tuple = IMAGENET_STD
    pretraining_sets: tuple | None = None

    def __post_init__(self):
        if self.embed_dims % self.num_heads:
            raise ValueError(f'embed_dims={self.embed_dims} is not a multiple of num_heads={self.num_heads}')
        if self.img_size % self.patch_size:
            raise ValueError(f'img_size={self.img_size} is not a multiple of patch_size={self.patch_size}')
        if self.num_frames % self.tubelet_size:
            raise ValueError(f'num_frames={self.num_frames} is not a multiple of tubelet_size={self.tubelet_size}')

    @property
    def grid(self):
        """tuple[int, int, int]: tokens along time, height and width for the native input."""
        side = self.img_size // self.patch_size
        return self.num_frames // self.tubelet_size, side, side


# Sizes of Dosovitskiy et al. 2021, Table 1.
_BASE = dict(embed_dims=768, depth=12, num_heads=12)
_LARGE = dict(embed_dims=1024, depth=24, num_heads=16)
_HUGE = dict(embed_dims=1280, depth=32, num_heads=16)

# TWLV-I, section 2.1 and Table 1. The paper gives ViT-B (86M) and ViT-L (307M) and the data; frames, tubelet and
# position table are not stated, so the defaults above (16 frames, tubelet 2, fixed 3D sin-cos table) are assumptions.
_TWLV_SETS = ('kinetics710', 'howto360k', 'webvid10m', 'coco', 'sbu', 'visual_genome', 'cc3m', 'cc12m')

# V-JEPA (Bardes et al. 2024), official configs vitl16.yaml, vith16.yaml, vith16_384.yaml; VideoMix2M.
_VJEPA_SETS = ('kinetics710', 'howto100m', 'ssv2')

ARCHITECTURES = {
    # Ours: 64 tokens, for what two cores can train in a minute; what the demo and the synthetic configs use.
    'twlv_small_synthetic': Architecture(
        embed_dims=128, depth=4, num_heads=4, img_size=32, patch_size=8, num_frames=8, pretraining_sets=('synthetic',)
    ),
    'twlv_base': Architecture(**_BASE, pretraining_sets=_TWLV_SETS),
    'twlv_large': Architecture(**_LARGE, pretraining_sets=_TWLV_SETS),
    'vjepa_large': Architecture(**_LARGE, pretraining_sets=_VJEPA_SETS),
    'vjepa_huge': Architecture(**_HUGE, pretraining_sets=_VJEPA_SETS),
    'vjepa_huge_384': Architecture(**_HUGE, img_size=384, pretraining_sets=_VJEPA_SETS),
}

# What a user may change of a row; the rest defines the architecture.
OVERRIDES = (
    'img_size',
    'patch_size',
    'num_frames',
    'tubelet_size',
    'embed_dims',
    'depth',
    'num_heads',
    'mlp_ratio',
)


def get_architecture(name, **overrides):
    """Look up a row of the table and change some of its numbers.

    Args:
        name (str): A name from :func:`twlv_mm.list_models`.
        **overrides: Any of :data:`OVERRIDES`.

    Returns:
        Architecture: the row.

    Raises:
        ValueError: if there is no such row.
        TypeError: if an override is not one of :data:`OVERRIDES`.
    """
    if name not in ARCHITECTURES:
        close = difflib.get_close_matches(str(name), ARCHITECTURES) or sorted(ARCHITECTURES)
        raise ValueError(f'there is no model {name!r}; did you mean {" or ".join(close)}? See twlv_mm.list_models().')
    unknown = sorted(set(overrides) - set(OVERRIDES))
    if unknown:
        raise TypeError(f'{name} has no setting {", ".join(unknown)}; these can be set: {", ".join(OVERRIDES)}')
    return dataclasses.replace(ARCHITECTURES[name], **overrides)
