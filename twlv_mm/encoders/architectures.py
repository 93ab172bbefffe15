"""The table of architectures: one row per model, with the sources of its numbers."""

import dataclasses
import difflib
from dataclasses import dataclass

from .spec import IMAGENET, OPENAI_CLIP, EncoderSpec, probe_heads


@dataclass(frozen=True)
class Architecture:
    """The numbers that distinguish one video vision transformer from another.

    Args:
        embed_dims (int): Width of a token.
        depth (int): Number of transformer blocks.
        num_heads (int): Attention heads of a block; divides ``embed_dims``.
        mlp_ratio (float): Hidden width of a block's MLP, in units of ``embed_dims``.
        img_size (int): Side in pixels of the square input that the position table is made for.
        patch_size (int): Side of a patch in pixels.
        num_frames (int): Frames of the clip that the position table is made for.
        tubelet_size (int): Frames of a patch.
        position (str): 'sincos_3d' or 'sincos_flat' (fixed tables), 'learnable' (a table), 'rope_3d' (no table).
        per_frame (bool): Whether each frame is encoded alone, as by an image encoder.
        class_token (bool): Whether a learnable class token goes before the patch tokens (of each frame if
            ``per_frame``).
        patch_bias (bool): Whether the patch projection has a bias.
        qkv_bias (bool): Whether the query, key and value projections have biases.
        qk_norm (bool): Whether queries and keys are normalised over the full width, before the split into heads.
        norm (str): 'layer' or 'rms'.
        norm_eps (float): Epsilon of these norms.
        pre_norm (bool): Whether tokens are normalised before the first block.
        final_norm (bool): Whether tokens are normalised after the last block.
        activation (str): 'gelu' or 'quick_gelu'.
        pooling (str): The architecture's own pooling: 'mean', 'class_token', or 'attention' (a projector).
        output_dims (int, optional): Width of a linear projection after the pooling (CLIP).
        clip_embed_dims (int, optional): Output width of the attention-pooling projector (InternVideo2).
        mean, std, resize, interpolation, pretraining_sets: As in :class:`EncoderSpec`.
        family (str): Layout of its official weights: a key of :data:`twlv_mm.encoders.FAMILIES`.
        source (str): Where these numbers come from.
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
    per_frame: bool = False
    class_token: bool = False
    patch_bias: bool = True
    qkv_bias: bool = True
    qk_norm: bool = False
    norm: str = 'layer'
    norm_eps: float = 1e-6
    pre_norm: bool = False
    final_norm: bool = True
    activation: str = 'gelu'
    pooling: str = 'mean'
    output_dims: int | None = None
    clip_embed_dims: int | None = None
    mean: tuple = IMAGENET['mean']
    std: tuple = IMAGENET['std']
    resize: str = 'short_side'
    interpolation: str = 'bilinear'
    family: str = 'own'
    source: str = ''
    pretraining_sets: tuple | None = None

    def __post_init__(self):
        for whole, part in (
            ('embed_dims', 'num_heads'),
            ('img_size', 'patch_size'),
            ('num_frames', 'tubelet_size'),
        ):
            if getattr(self, whole) % getattr(self, part):
                raise ValueError(f'{whole}={getattr(self, whole)} is not a multiple of {part}={getattr(self, part)}')

    @property
    def table_grid(self):
        """T', H', W' that the position table is made for."""
        side = self.img_size // self.patch_size
        return 1 if self.per_frame else self.num_frames // self.tubelet_size, side, side

    @property
    def hidden_dims(self):
        return round(self.embed_dims * self.mlp_ratio)

    def spec(self, name):
        """The EncoderSpec of this row, under the name of the model."""
        grid = self.num_frames // self.tubelet_size, *self.table_grid[1:]
        return _spec(self, name, grid, num_heads=self.num_heads, per_frame=self.per_frame)


@dataclass(frozen=True)
class SqueezeTimeArchitecture:
    """The numbers that distinguish one SqueezeTime from another; names shared with :class:`Architecture` mean the same.

    Args:
        depth (int): 50, 101 or 152, as of residual networks.
        widen_factor (float): Width, in units of ResNet's.
        num_frames (int): Frames of a clip, which are the input's channels.
        pos_dim (tuple[int]): Sides of the position tables of the four stages.
        detection (bool): The variant for AVA, see :class:`twlv_mm.encoders.SqueezeTime`.
    """

    depth: int = 50
    widen_factor: float = 1.0
    num_frames: int = 16
    pos_dim: tuple = (56, 28, 14, 7)
    detection: bool = False
    mean: tuple = IMAGENET['mean']
    std: tuple = IMAGENET['std']
    pretraining_sets: tuple | None = None

    pooling = 'mean'
    class_token = False
    resize = 'short_side'
    interpolation = 'bilinear'
    family = 'squeezetime'
    patch_size = 32  # pixels of the input per pixel of the feature map
    source = 'Zhai et al. 2024; its official code'

    @property
    def img_size(self):
        return 4 * self.pos_dim[0]

    @property
    def tubelet_size(self):
        """Frames of the input per step of the feature map, which has a single one."""
        return self.num_frames

    @property
    def embed_dims(self):
        return 4 * round(512 * self.widen_factor)

    def spec(self, name):
        if self.detection:
            side = -(-self.img_size // 16)
            return _spec(self, name, (self.num_frames, side, side), self.embed_dims // self.num_frames)
        side = -(-self.img_size // self.patch_size)
        return _spec(self, name, (1, side, side))


def _spec(row, name, grid, embed_dims=None, **more):
    dims = embed_dims or row.embed_dims
    return EncoderSpec(
        name=name,
        source=name,
        grid=grid,
        embed_dims=dims,
        embedding_dims=embed_dims or getattr(row, 'output_dims', None) or getattr(row, 'clip_embed_dims', None),
        **{
            key: getattr(row, key)
            for key in ('num_frames', 'img_size', 'pooling', 'class_token', 'mean', 'std', 'resize', 'interpolation')
        },
        pretraining_sets=row.pretraining_sets,
        **dict(dict(num_heads=probe_heads(dims)), **more),
    )


# Sizes of Dosovitskiy et al. 2021, Table 1; the giant's of VideoMAE v2, V-JEPA2 and InternVideo2 (MLP 6144).
_BASE = dict(embed_dims=768, depth=12, num_heads=12)
_LARGE = dict(embed_dims=1024, depth=24, num_heads=16)
_HUGE = dict(embed_dims=1280, depth=32, num_heads=16)
_GIANT = dict(embed_dims=1408, depth=40, mlp_ratio=6144 / 1408)

# The paper gives ViT-B (86M) and ViT-L (307M) and the data; frames, tubelet and position table are not stated, so the
# defaults above (16 frames, tubelet 2, fixed 3D sin-cos table) are assumptions.
_TWLV = dict(
    source='TWLV-I, section 2.1 and Table 1; the rest is assumed',
    pretraining_sets=('kinetics710', 'howto360k', 'webvid10m', 'coco', 'sbu', 'visual_genome', 'cc3m', 'cc12m'),
)

# VideoMix2M.
_VJEPA = dict(
    family='vjepa',
    source='Bardes et al. 2024; github.com/facebookresearch/jepa: vitl16.yaml, vith16.yaml, vith16_384.yaml',
    pretraining_sets=('kinetics710', 'howto100m', 'ssv2'),
)

# Pretrained on VideoMix22M with 64 frames; its own probes use 16 (num_frames=16).
_VJEPA2 = dict(
    position='rope_3d',
    img_size=256,
    num_frames=64,
    family='vjepa2',
    source='Assran et al. 2025; github.com/facebookresearch/vjepa2: its hub; 384 pixels: img_size=384',
    pretraining_sets=('ssv2', 'kinetics710', 'howto100m', 'yt_temporal_1b', 'imagenet1k'),
)

# Stage 2 continues from stage 1 with image-text and video-text pairs, and 4 frames.
_UMT = dict(
    position='sincos_flat',
    num_frames=8,
    tubelet_size=1,
    family='umt',
    source='Li et al. 2023; github.com/OpenGVLab/unmasked_teacher: 8 frames; 16: num_frames=16',
    pretraining_sets=('kinetics710',),
)

# Published weights of VideoMAE are pretrained on one dataset each, which the file does not name.
_VIDEOMAE = dict(
    position='sincos_flat', family='videomae', source='Tong et al. 2022; github.com/MCG-NJU/VideoMAE, modeling_*.py'
)
_VIDEOMAE_V2 = dict(
    _VIDEOMAE,
    source='Wang et al. 2023; github.com/OpenGVLab/VideoMAEv2, vit_giant_patch14_224',
    pretraining_sets=('kinetics710', 'ssv2', 'ava_v2.2', 'webvid2m', 'instagram'),
)

# Stage 1 has 8 frames, stage 2 has 4 (num_frames=4).
_INTERNVIDEO2 = dict(
    num_heads=16,
    patch_size=14,
    num_frames=8,
    tubelet_size=1,
    position='learnable',
    class_token=True,
    qkv_bias=False,
    qk_norm=True,
    norm='rms',
    final_norm=False,
    pooling='attention',
    clip_embed_dims=768,
    family='internvideo2',
    source='Wang et al. 2024; github.com/OpenGVLab/InternVideo: pretrain_internvideo2_1b_patch14_224',
    pretraining_sets=('kinetics710', 'moments_in_time', 'ssv2', 'activitynet'),
)

# The paper encodes each frame and averages (section 2). The number of frames is ours to choose.
_CLIP = dict(
    position='learnable',
    per_frame=True,
    tubelet_size=1,
    class_token=True,
    patch_bias=False,
    norm_eps=1e-5,
    pre_norm=True,
    activation='quick_gelu',
    pooling='class_token',
    interpolation='bicubic',
    family='clip',
    source='Radford et al. 2021; github.com/openai/CLIP, ViT-B/16 and ViT-L/14',
    pretraining_sets=('wit400m',),
    **OPENAI_CLIP,
)
_DFN = dict(
    _CLIP,
    resize='squash',
    source="Fang et al. 2023; open_clip's ViT-H-14-quickgelu with dfn5b",
    pretraining_sets=('dfn5b',),
)

ARCHITECTURES = {
    # Ours: 64 tokens, for two cores; `make small` trains it for the synthetic configs.
    'twlv_small_synthetic': Architecture(
        embed_dims=128,
        depth=4,
        num_heads=4,
        img_size=32,
        patch_size=8,
        tubelet_size=4,
        source='ours, for two CPU cores',
        pretraining_sets=('synthetic',),
    ),
    'twlv_base': Architecture(**_BASE, **_TWLV),
    'twlv_large': Architecture(**_LARGE, **_TWLV),
    'vjepa_large': Architecture(**_LARGE, **_VJEPA),
    'vjepa_huge': Architecture(**_HUGE, **_VJEPA),
    'vjepa_huge_384': Architecture(**_HUGE, **_VJEPA, img_size=384),
    'vjepa2_large': Architecture(**_LARGE, **_VJEPA2),
    'vjepa2_huge': Architecture(**_HUGE, **_VJEPA2),
    'vjepa2_giant': Architecture(**_GIANT, **_VJEPA2, num_heads=22),
    'umt_base': Architecture(**_BASE, **_UMT),
    'umt_large': Architecture(**_LARGE, **_UMT),
    'videomae_base': Architecture(**_BASE, **_VIDEOMAE),
    'videomae_large': Architecture(**_LARGE, **_VIDEOMAE),
    'videomae_huge': Architecture(**_HUGE, **_VIDEOMAE),
    'videomaev2_giant': Architecture(**_GIANT, **_VIDEOMAE_V2, num_heads=16, patch_size=14),
    'internvideo2_1b': Architecture(**_GIANT, **_INTERNVIDEO2),
    'clip_base': Architecture(**_BASE, **_CLIP, output_dims=512),
    'clip_large': Architecture(**_LARGE, **_CLIP, patch_size=14, output_dims=768),
    'dfn_huge': Architecture(**_HUGE, **_DFN, patch_size=14, output_dims=1024),
    # The published weights are trained on ImageNet-1K, then Kinetics-400.
    'squeezetime_r50': SqueezeTimeArchitecture(pretraining_sets=('imagenet1k', 'kinetics400')),
}

# The fields of a row that a user may change; the rest defines the architecture.
OVERRIDES = (
    'img_size',
    'patch_size',
    'num_frames',
    'tubelet_size',
    'embed_dims',
    'depth',
    'num_heads',
    'mlp_ratio',
    'output_dims',
    'clip_embed_dims',
    'widen_factor',
    'pos_dim',
    'detection',
)


def get_architecture(name, **overrides):
    """Look up a row of the table and override some of its numbers.

    Args:
        name (str): A name from :func:`twlv_mm.list_models`.
        **overrides: Any of :data:`OVERRIDES` that the row has.

    Returns:
        Architecture | SqueezeTimeArchitecture
    """
    if name not in ARCHITECTURES:
        close = ' or '.join(difflib.get_close_matches(str(name), ARCHITECTURES))
        close = close or f'one of {", ".join(sorted(ARCHITECTURES))}'
        raise ValueError(f'unknown model {name!r}; did you mean {close}? See twlv_mm.list_models().')
    row = ARCHITECTURES[name]
    fields = {field.name for field in dataclasses.fields(row)}
    settings = [key for key in OVERRIDES if key in fields and getattr(row, key) is not None]
    unknown = sorted(set(overrides) - set(settings))
    if unknown:
        raise TypeError(f'{name} has no setting {", ".join(unknown)}; these can be set: {", ".join(settings)}')
    return dataclasses.replace(row, **overrides)
