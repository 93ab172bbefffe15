# Linear probe on ImageNet-1K (paper 2.3, Table 3): frozen encoder, one linear layer; an image is a still video.
_base_ = [
    '../_base_/encoders/twlv_base.py',
    '../_base_/datasets/in1k_images.py',
    '../_base_/schedules/probe_20e.py',
    '../_base_/runtime.py',
]

model = dict(
    type='Recognizer3D',
    cls_head=dict(
        type='I3DHead',  # mean over time and space, then a linear layer
        num_classes=1000,
        in_channels=768,
        dropout_ratio=0.0,
        average_clips='prob',
    ),
)
optim_wrapper = dict(optimizer=dict(weight_decay=0.001))  # V-JEPA's for ImageNet
auto_scale_lr = dict(base_batch_size=1024)  # V-JEPA: 64 GPUs x 16 images
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    results=dict(
        type='twlv_mm.ResultsHook',  # writes results.json
        task='recognition_linear',
        dataset='imagenet1k',
        protocol=dict(frames=16, clips=1, crops=1),
    ),
)
