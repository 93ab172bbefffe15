"""A task's config, changed so that it evaluates another encoder than the one it was written for."""

from typing import NamedTuple

from mmengine.config import Config

from twlv_mm.encoders import file_sha256, get_architecture

# Arguments of a backbone that are the task's, not the encoder's.
_OF_TASKS = ('type', 'weights', 'frozen', 'allow_random', 'drop_path_rate', 'with_cp')
# Transforms -> their settings that count frames, and those that are sizes in pixels.
_FRAMES = dict(
    SampleFrames='clip_len',
    SampleKeyframeClip='clip_len',
    EmbeddingSample='num_frames',
    SegmentSample='num_frames',
    StillVideo='num_frames',
)
_PIXELS = dict(Resize='scale', CenterCrop='crop_size', LongSideCrops='size', RandomRescale='scale_range')


class Encoder(NamedTuple):
    """An encoder to evaluate.

    Attributes:
        label (str): What it is called in reports.
        arch (str): A name from :func:`twlv_mm.list_models`.
        overrides (dict): What is different from that architecture.
        weights (str | None): Its checkpoint.
        sha256 (str | None): Hash of that file.
    """

    label: str
    arch: str
    overrides: dict
    weights: str | None
    sha256: str | None

    @property
    def architecture(self):
        """Architecture: its row of the table, overrides applied."""
        return get_architecture(self.arch, **self.overrides)

    @property
    def dims(self):
        """int: width of an embedding."""
        arch = self.architecture
        return arch.clip_embed_dims or arch.output_dims or arch.embed_dims

    @property
    def backbone(self):
        """dict: its config, without weights."""
        return dict(type='twlv_mm.VideoViT', arch=self.arch, **self.overrides)


def find_encoder(source, weights=None, label=None):
    """The encoder that a command names.

    Args:
        source (str): A name from :func:`twlv_mm.list_models`, or a config, whose ``model.backbone`` is taken.
        weights (str, optional): Its checkpoint; random without.
        label (str, optional): What to call it; by default its name.

    Returns:
        Encoder: the encoder.

    Raises:
        FileNotFoundError: if there is no such config or checkpoint.
        ValueError: if there is no such encoder, the config has none, or the label cannot be a folder's name.
    """
    overrides = {}
    name = source
    if source.endswith('.py'):
        backbone = Config.fromfile(source).get('model', {}).get('backbone', {})
        if backbone.get('type') not in ('VideoViT', 'twlv_mm.VideoViT'):
            raise ValueError(f'{source} has no model.backbone of type twlv_mm.VideoViT to evaluate')
        overrides = {key: value for key, value in backbone.items() if key not in _OF_TASKS}
        name = overrides.pop('arch')
    get_architecture(name, **overrides)
    if '/' in (label or name):
        raise ValueError(f'the label {label} has a slash, and becomes the name of a folder: choose another')
    return Encoder(label or name, name, overrides, weights, None if weights is None else file_sha256(weights))


def fit_config(cfg, encoder):
    """Change a task's config for an encoder: what builds it, its frames and pixels, and the width of what it gives.

    Clips keep their length in time: those of half as many frames have twice the interval between them. Sizes in pixels
    change with the resolution. An encoder with a pooling of its own has its linear probe on what that gives
    (docs/recognition.md).

    Args:
        cfg (Config): Of a task; changed in place.
        encoder (Encoder): The encoder.
    """
    arch = encoder.architecture
    model = cfg.model
    backbone = model.get('backbone')
    cfg.default_hooks.results.label = encoder.label
    if backbone is None:  # on embeddings
        if 'in_channels' in model:
            model.in_channels = encoder.dims
        return
    native = get_architecture(backbone.arch)
    backbone.update(arch=encoder.arch, allow_random=encoder.weights is None, **encoder.overrides)
    cfg.encoder_weights = encoder.weights
    model.data_preprocessor.update(mean=list(arch.mean), std=list(arch.std))
    if 'size_divisor' in model.data_preprocessor:
        model.data_preprocessor.size_divisor = arch.patch_size
    if 'decoder' in model:
        model.decoder.update(in_channels=arch.embed_dims, num_frames=arch.num_frames // arch.tubelet_size)
    if 'roi_head' in model:
        model.roi_head.bbox_head.in_channels = arch.embed_dims
        model.roi_head.bbox_roi_extractor.featmap_stride = arch.patch_size
    if 'cls_head' in model:
        _fit_head(model, encoder)
    frames, pixels = arch.num_frames / native.num_frames, arch.img_size / native.img_size
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name) is not None:
            cfg[name] = _fitted(cfg[name], frames, pixels)
    protocol = cfg.default_hooks.results.protocol
    if 'frames' in protocol:
        protocol.frames = arch.num_frames
    if 'frame_interval' in protocol:
        protocol.frame_interval = max(round(protocol.frame_interval / frames), 1)


def _fit_head(model, encoder):
    head, arch = model.cls_head, encoder.architecture
    head.in_channels = arch.embed_dims
    if 'num_heads' in head:
        head.num_heads = arch.num_heads
    elif arch.pooling != 'mean':
        model.update(type='twlv_mm.ProbeRecognizer', features='embed')
        head.update(in_channels=encoder.dims, spatial_type=None)


def _fitted(part, frames, pixels):
    """A copy of a part of a config with all numbers of frames and pixels of its transforms scaled.

    A copy, because the parts of a config may share what is in them, which would be scaled twice.
    """
    if isinstance(part, list | tuple):
        return type(part)(_fitted(value, frames, pixels) for value in part)
    if not isinstance(part, dict):
        return part
    part = {key: _fitted(value, frames, pixels) for key, value in part.items()}
    kind = str(part.get('type')).split('.')[-1]
    if kind in _FRAMES:
        part[_FRAMES[kind]] = max(round(part[_FRAMES[kind]] * frames), 1)
        if 'frame_interval' in part:
            part['frame_interval'] = max(round(part['frame_interval'] / frames), 1)
    if kind in _PIXELS:
        part[_PIXELS[kind]] = _scaled(part[_PIXELS[kind]], pixels)
    return part


def _scaled(size, factor):
    if isinstance(size, list | tuple):
        return type(size)(_scaled(value, factor) for value in size)
    return round(size * factor) if size > 0 else size
