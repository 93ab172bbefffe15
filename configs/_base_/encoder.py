# The encoder that a config is for, with every number that depends on it. They are asked for when the config is parsed:
#   ENCODER=umt_large ENCODER_WEIGHTS=umt.pth, in front of the command of any tool
#   --cfg-options encoder=umt_large encoder_weights=umt.pth, with this project's tools
#   encoder = 'umt_large', in a config that inherits this one
# encoder_overrides = dict(num_frames=16), or --cfg-options encoder_overrides.num_frames=16, changes a number of its
# own, and the others follow. docs/encoders.md says what names an encoder.
_base_ = []  # first: mmengine reads a file that begins with an import in another way

from twlv_mm.encoders import parsed_encoder  # noqa: E402

# TWLV-I ViT-B (paper 2.1). Its weights were never published: encoder_weights is where yours go.
encoder, encoder_weights, encoder_overrides, spec = parsed_encoder('twlv_base')

# As a part of a model, and as what embeddings are extracted with.
backbone = {**dict(type='twlv_mm.Encoder', source=encoder, weights=encoder_weights, frozen=True), **encoder_overrides}
extractor = dict(source=encoder, weights=encoder_weights, **encoder_overrides)
normalise = dict(mean=list(spec['mean']), std=list(spec['std']))
preprocessor = dict(type='ActionDataPreprocessor', format_shape='NCTHW', **normalise)
boxes_preprocessor = dict(type='twlv_mm.DetectionPreprocessor', size_divisor=spec['patch_size'], **normalise)

# Frames as it takes them: a square of any picture, one of what was cut out before, crops of the long side.
size, interpolation = spec['img_size'], spec['interpolation']
square = dict(type='twlv_mm.ResizeCrop', size=size, resize=spec['resize'], interpolation=interpolation)
squash = dict(type='Resize', scale=(size, size), keep_ratio=False, interpolation=interpolation)
crops = dict(type='twlv_mm.LongSideCrops', size=size, resize='short_side', interpolation=interpolation)
