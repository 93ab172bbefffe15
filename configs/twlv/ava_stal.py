# Spatio-temporal action localization on AVA v2.2, end to end (paper 2.5, Tables 8 and 11), without
# given person boxes. Set the encoder with --cfg-options encoder_weights=PATH.
_base_ = [
    '../_base_/models/stal_detector.py',
    '../_base_/datasets/ava_video.py',
    '../_base_/schedules/stal_50e.py',
    '../_base_/runtime.py',
]

model = dict(
    data_preprocessor=_base_.boxes_preprocessor,
    backbone=_base_.backbone,
    decoder=dict(
        in_channels=_base_.spec.embed_dims,
        num_frames=_base_.spec.num_frames // _base_.spec.tubelet_size,  # time steps of the feature map
    ),
)
default_hooks = dict(
    checkpoint=dict(save_best='mAP@0.5', rule='greater'),
    data=dict(type='twlv_mm.CheckAVAHook'),
    visualization=dict(type='twlv_mm.DetectionVisualizationHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='detection',
        dataset='ava_v2.2',
    ),
)
