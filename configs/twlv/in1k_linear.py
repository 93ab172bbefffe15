# Linear probe on ImageNet-1K (paper 2.3, Table 3): frozen encoder, one linear layer; an image is a still video.
_base_ = [
    '../_base_/datasets/in1k_images.py',
    '../_base_/schedules/probe_20e.py',
    '../_base_/runtime.py',
]

model = dict(
    type='twlv_mm.ProbeRecognizer',
    features='embed',  # the encoder's own pooling
    data_preprocessor=_base_.preprocessor,
    backbone=_base_.backbone,
    cls_head=dict(
        type='I3DHead',
        spatial_type=None,  # pooled already: a linear layer
        num_classes=1000,
        in_channels=_base_.spec.embedding_dims,
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
        protocol=dict(frames=_base_.frames, clips=1, crops=1),
    ),
)
