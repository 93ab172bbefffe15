# TWLV-I ViT-B (paper 2.1). Its weights were never published: encoder_weights is where yours go.
# encoder = 'umt_large', say, in a config, or --cfg-options encoder=umt_large, takes another one: docs/encoders.md.
written_for = 'twlv_base'  # whose numbers the configs on this have; those of the encoder take their place
encoder_weights = None  # a path; or on the command line: --cfg-options encoder_weights=PATH
model = dict(
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],  # ImageNet's (assumed: as V-JEPA)
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
    backbone=dict(type='twlv_mm.VideoViT', arch='twlv_base', weights=encoder_weights, frozen=True),
)
