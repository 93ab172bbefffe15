# Linear probe on Kinetics-400 (paper 2.2.1, Table 3): frozen encoder, one linear layer on the mean of its tokens.
_base_ = [
    '../_base_/encoders/twlv_base.py',
    '../_base_/datasets/k400_video.py',
    '../_base_/schedules/probe_20e.py',
    '../_base_/runtime.py',
]

model = dict(
    type='Recognizer3D',
    cls_head=dict(
        type='I3DHead',  # mean over time and space, then a linear layer
        num_classes=400,
        in_channels=768,
        dropout_ratio=0.0,
        average_clips='prob',  # probabilities averaged over the views (paper 2.2)
    ),
)
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    results=dict(
        type='twlv_mm.ResultsHook',  # writes results.json
        task='recognition_linear',
        dataset='kinetics400',
        protocol=dict(frames=16, frame_interval=4, clips=8, crops=3),
    ),
)
