# The small encoder of the generated videos: 64 tokens a clip, for two CPU cores.
encoder_weights = None
written_for = 'twlv_small_synthetic'
model = dict(
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
    backbone=dict(
        type='twlv_mm.VideoViT', arch='twlv_small_synthetic', weights=encoder_weights, frozen=True, allow_random=True
    ),
)
