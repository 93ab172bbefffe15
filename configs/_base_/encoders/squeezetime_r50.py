# SqueezeTime, trained with its head. encoder_weights: the published weights to start from, of ImageNet-1K or K400.
written_for = 'squeezetime_r50'  # whose numbers the configs on this have
encoder_weights = None
model = dict(
    data_preprocessor=dict(
        type='ActionDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        format_shape='NCTHW',
    ),
    backbone=dict(type='twlv_mm.SqueezeTime', arch='squeezetime_r50', weights=encoder_weights),
)
