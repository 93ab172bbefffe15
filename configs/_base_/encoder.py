# The encoder of a config, and every number that depends on it. It is chosen when the config is parsed:
#   ENCODER=umt_large ENCODER_WEIGHTS=umt.pth, before the command of any tool
#   --cfg-options encoder=umt_large encoder_weights=umt.pth, with the tools of this project
#   encoder = 'umt_large', in a config that inherits this one
# encoder_overrides = dict(num_frames=16), or --cfg-options encoder_overrides.num_frames=16, overrides a setting of the
# encoder; dependent numbers follow. docs/encoders.md lists the names of encoders.
_base_ = []  # first: mmengine takes a file that starts with an import for another kind of config

from twlv_mm.encoders import parsed_encoder  # noqa: E402

# TWLV-I ViT-B (paper 2.1). Its weights were never published: set encoder_weights to your own.
encoder, encoder_weights, encoder_overrides, spec = parsed_encoder('twlv_base')

# As a backbone, and for the extraction of embeddings.
backbone = {**dict(type='twlv_mm.Encoder', source=encoder, weights=encoder_weights, frozen=True), **encoder_overrides}
extractor = dict(source=encoder, weights=encoder_weights, **encoder_overrides)
normalise = dict(mean=list(spec['mean']), std=list(spec['std']))
preprocessor = dict(type='ActionDataPreprocessor', format_shape='NCTHW', **normalise)
boxes_preprocessor = dict(type='twlv_mm.DetectionPreprocessor', size_divisor=spec['patch_size'], **normalise)

# Frames for the encoder: a centre square, a square of a random crop, crops along the long side.
size, interpolation = spec['img_size'], spec['interpolation']
square = dict(type='twlv_mm.ResizeCrop', size=size, resize=spec['resize'], interpolation=interpolation)
squash = dict(type='Resize', scale=(size, size), keep_ratio=False, interpolation=interpolation)
crops = dict(type='twlv_mm.LongSideCrops', size=size, resize='short_side', interpolation=interpolation)
