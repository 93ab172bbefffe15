# Spatio-temporal action localization on AVA v2.2, end to end (paper 2.5, Tables 8 and 11): who does what, where and
# when, without boxes of persons from outside. Give the encoder with --cfg-options encoder_weights=PATH.
_base_ = [
    '../_base_/models/stal_detector.py',
    '../_base_/datasets/ava_video.py',
    '../_base_/schedules/stal_50e.py',
    '../_base_/runtime.py',
]

encoder_weights = None
default_hooks = dict(
    checkpoint=dict(save_best='mAP@0.5', rule='greater'),
    data=dict(type='twlv_mm.CheckAVAHook'),
    visualization=dict(type='twlv_mm.DetectionVisualizationHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='detection',
        dataset='ava_v2.2',
        protocol=dict(head='end to end', frames=16, seconds=2.1, short_side=224),
    ),
)
