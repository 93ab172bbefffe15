"""``mmaction:CONFIG``: the backbone of a recognizer of mmaction2 as an encoder.

Mean and standard deviation come from the config's ``data_preprocessor``; frames, size and resizing from its test
pipeline; width and feature map from a run on torch's meta device. A config is Python code, which reading it executes.
"""

import inspect
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from mmaction.models import ResNet3dSlowFast, TimeSformer
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from . import meta_device
from .encoder import Encoder
from .spec import EncoderSpec, probe_heads
from .weight_loading import load_plain_weights

# The backbones' names of their number of frames and side of the image.
FRAMES = ('num_frames', 'temporal_size', 't_size', 'num_segments')
SIZES = ('img_size', 'spatial_size', 'input_resolution')
CROPS = ('CenterCrop', 'ThreeCrop', 'TenCrop')


def describe(config, pretraining_sets=None, **overrides):
    """Describe the backbone of a recognizer.

    Args:
        config (str): Path of a config, or ``mmaction::recognition/...`` for one of mmaction2's own
            (``:recognition/...`` is enough).
        pretraining_sets (tuple[str], optional): Datasets that the weights were trained on, which no config gives.
        **overrides: ``num_frames`` and ``img_size`` of a clip; others are settings of the backbone.

    Returns:
        EncoderSpec

    Raises:
        FileNotFoundError: if the config does not exist.
        ValueError: if it has no backbone that encodes RGB clips.
    """
    return _describe(_read(config), config, pretraining_sets, overrides)


def build(config, pretraining_sets=None, **overrides):
    """Build the backbone of a recognizer, without its weights; arguments: :func:`describe`."""
    cfg = _read(config)
    spec = _describe(cfg, config, pretraining_sets, overrides)
    backbone = meta_device.build(lambda: _backbone(cfg, spec.num_frames, spec.img_size, overrides))
    return ActionBackbone(backbone, spec, _takes_pictures(cfg))


class ActionBackbone(Encoder):
    """The backbone of a recognizer of mmaction2.

    Of several stages the last is used. The two pathways of SlowFast become one map, channels concatenated in the order
    of its head, the fast one averaged to the time steps of the slow one: its mean is what the head classifies, its mean
    over time the input of mmaction2's AVA head. Recognizer2D's backbones take each frame as an image.

    Args:
        backbone (nn.Module): As built by mmaction2.
        spec (EncoderSpec): Its description.
        takes_pictures (bool): Whether it takes images (N * T, 3, H, W), not clips.
    """

    inner = 'net.'  # which mmaction2's files lack

    def __init__(self, backbone, spec, takes_pictures):
        super().__init__(spec)
        self.net = backbone
        self.takes_pictures = takes_pictures
        if hasattr(backbone, 'return_feat_map'):
            backbone.return_feat_map = True

    def init_weights(self):
        """Initialise as mmaction2 does, unless weights were given."""
        if not self._has_weights:
            self.net.init_weights()

    def load(self, path):
        """Load weights of mmaction2's layout (``backbone.*``, heads beside it) or this project's, strictly."""
        return load_plain_weights(self, path)

    def encode(self, video):
        clips, _, time = video.shape[:3]
        fixed = getattr(self.net, 'num_segments', time) if self.takes_pictures else time
        if time != fixed:
            raise ValueError(f'{self.spec.name} expects clips of {fixed} frames, not {time}: set num_frames={time}')
        if self.takes_pictures:
            video = video.transpose(1, 2).flatten(0, 1)
        feature, class_token = _features(self.net, video)
        if self.takes_pictures:
            feature = feature.unflatten(0, (clips, -1)).transpose(1, 2)
        if feature.ndim == 2:
            return feature.unsqueeze(1), None
        tokens = feature.flatten(2).transpose(1, 2)
        if class_token is not None:
            tokens = torch.cat([class_token.unsqueeze(1), tokens], dim=1)
        return tokens, tuple(feature.shape[2:])

    def own_pooling(self, tokens, grid):
        """The vector that the recognizer's head classifies."""
        norm = getattr(self.net, 'fc_norm', None)  # VisionTransformer normalises the mean
        return super().own_pooling(tokens, grid) if norm is None else norm(self.pool(tokens, grid, 'mean'))


def _features(net, video):
    """The features of a backbone, and its class token or None.

    Features are a map (N, D, T', H', W'), vectors (N, D) or, of images, a map (M, D, H', W').
    """
    if isinstance(net, TimeSformer):
        return _features_of_timesformer(net, video)
    out = net(video)
    if isinstance(net, ResNet3dSlowFast):
        slow, fast = out
        return torch.cat([F.adaptive_avg_pool3d(fast, slow.shape[2:]), slow], dim=1), None
    last = out if isinstance(out, torch.Tensor) else out[-1]
    return (last, None) if isinstance(last, torch.Tensor) else last  # MViT gives map and class token


def _features_of_timesformer(net, video):
    """Its output is the class token alone, so all tokens are taken from its last norm, ordered by space, then time."""
    tokens = []
    hook = net.norm.register_forward_hook(lambda module, given, output: tokens.append(output))
    try:
        net(video)
    finally:
        hook.remove()
    class_token, patches = tokens[0][:, 0], tokens[0][:, 1:]
    size = net.patch_embed.patch_size
    patches = patches.transpose(1, 2).unflatten(2, (video.shape[3] // size[0], video.shape[4] // size[1], -1))
    return patches.movedim(-1, 2), class_token


def _read(config):
    try:
        cfg = Config.fromfile(_path(config))
    except FileNotFoundError as error:
        raise FileNotFoundError(f'config {config} does not exist ({error})') from None
    if 'backbone' not in cfg.get('model', {}):
        raise ValueError(f'{config} is not a config of a recognizer: it has no model.backbone')
    return cfg


def _path(config):
    """The file of a config; mmengine's own lookup of ``package::`` fails for editable installs of today's pip."""
    package, separator, name = (f'mmaction:{config}' if config.startswith(':') else config).partition('::')
    if not separator:
        return config
    spec = find_spec(package)
    if spec is None:
        raise FileNotFoundError(f'the package {package} is not installed')
    folder = Path(spec.origin).parent
    wheel, clone = folder / '.mim' / 'configs', folder.parent / 'configs'
    return (wheel if wheel.is_dir() else clone) / name


def _takes_pictures(cfg):
    return getattr(cfg.model.type, '__name__', cfg.model.type).rpartition('.')[2] == 'Recognizer2D'


def _describe(cfg, config, pretraining_sets, overrides):
    source = f'mmaction:{config}'
    preprocessor = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
    shape = preprocessor.get('format_shape', 'NCHW')
    mean, std = preprocessor.get('mean', (0.0,) * 3), preprocessor.get('std', (1.0,) * 3)
    if shape not in ('NCHW', 'NCTHW', 'MIX2d3d') or len(mean) != 3 or preprocessor.get('to_rgb'):
        raise ValueError(
            f'{source} does not accept clips of RGB frames: its data_preprocessor has format_shape={shape!r}, '
            f'mean={mean}, to_rgb={preprocessor.get("to_rgb", False)}'
        )
    taken = _test_frames(cfg, source) | {key: overrides[key] for key in ('num_frames', 'img_size') if key in overrides}
    for key in ('num_frames', 'img_size'):
        if key not in taken:
            raise ValueError(f'the test pipeline of {source} does not determine {key}: give {key}=...')
    sizes = dict(taken, mean=[float(value) for value in mean], std=[float(value) for value in std])
    frames, size = taken['num_frames'], taken['img_size']

    with meta_device.EmptyWeights():
        backbone = _backbone(cfg, frames, size, overrides)
    pictures = _takes_pictures(cfg)
    mixes = hasattr(backbone, 'num_segments')
    name = Path(config.rpartition('::')[2]).stem
    # A placeholder spec: the sizes of the output are not known yet.
    model = ActionBackbone(backbone, EncoderSpec(name=name, grid=None, embed_dims=16, **sizes), pictures)
    tokens, grid, vector = meta_device.run(model, source, frames, size)
    class_token = grid is not None and tokens.shape[1] > torch.Size(grid).numel()
    pooling = 'class_token' if class_token else 'mean'
    return EncoderSpec(
        name=name,
        grid=grid,
        embed_dims=tokens.shape[-1],
        embedding_dims=vector.shape[-1],
        num_heads=probe_heads(tokens.shape[-1]),
        class_token=class_token,
        pooling='fc_norm' if vector.requires_grad else pooling,  # with weights: another vector than --pooling's
        per_frame=pictures and not mixes,
        pretraining_sets=pretraining_sets,
        **sizes,
    )


def _backbone(cfg, num_frames, img_size, overrides):
    """Build the backbone without downloading anything."""
    settings = cfg.model.backbone
    with DefaultScope.overwrite_default_scope('mmaction'):
        kind = MODELS.get(settings.type) if isinstance(settings.type, str) else settings.type
        if kind is None:
            raise ValueError(
                f'mmaction2 has no backbone {settings.type}: install its package, and name it in custom_imports of '
                'the config'
            )
        accepted = inspect.signature(kind).parameters
        changes = {key: value for key, value in overrides.items() if key not in ('num_frames', 'img_size')}
        for names, key, value in ((FRAMES, 'num_frames', num_frames), (SIZES, 'img_size', img_size)):
            if key in overrides:
                changes |= {name: value for name in names if name in accepted}
        if 'clip_pretrained' in accepted:
            changes['clip_pretrained'] = False
        return MODELS.build(_without_pretrained(_merged(settings, changes)))


def _merged(settings, changes):
    both = {key for key, value in changes.items() if isinstance(value, dict) and isinstance(settings.get(key), dict)}
    return {**settings, **changes, **{key: _merged(settings[key], changes[key]) for key in both}}


def _without_pretrained(settings):
    if not isinstance(settings, dict) or settings.get('type') == 'Pretrained':
        return None if isinstance(settings, dict) else settings
    return {key: None if key == 'pretrained' else _without_pretrained(value) for key, value in settings.items()}


def _test_frames(cfg, source):
    """Frames, side and resizing of a clip in the test pipeline, as far as it determines them."""
    loader = cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}
    pipeline = loader.get('dataset', {}).get('pipeline') or cfg.get('test_pipeline') or cfg.get('val_pipeline') or []
    found = {}
    for step in pipeline:
        kind = str(step['type']).rpartition('.')[2]
        if 'clip_len' in step:
            # For Recognizer2D, the frames of a clip are clips of one frame.
            frames = step['clip_len']
            found['num_frames'] = step.get('num_clips', 1) if _takes_pictures(cfg) and frames == 1 else frames
        elif kind == 'Resize':
            scale, found['interpolation'] = step['scale'], step.get('interpolation', 'bilinear')
            squash = not step.get('keep_ratio', True)
            if squash and (isinstance(scale, (int, float)) or scale[0] != scale[1]):
                raise ValueError(f'{source} resizes to {scale}; encoders need square frames')
            found['resize'] = 'squash' if squash else 'short_side'
            found['img_size'] = min(scale) if min(scale) > 0 else max(scale)
        elif kind in CROPS:
            size = step['crop_size']
            size = (size, size) if isinstance(size, int) else tuple(size)
            if size[0] != size[1]:
                raise ValueError(f'{source} crops to {size}; encoders need square frames')
            found['img_size'] = size[0]
    return found
