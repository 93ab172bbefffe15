# Linear probe on ImageNet-1K (paper 2.3, Tables 3 and 4): frozen encoder, one linear layer on its vector.
_base_ = [
    '../_base_/datasets/in1k_images.py',
    '../_base_/schedules/linear_probe.py',
    '../_base_/runtime.py',
]

model = dict(
    type='twlv_mm.ProbeRecognizer',
    features='embed',  # pooled by the encoder
    data_preprocessor=_base_.preprocessor,
    backbone=_base_.backbone,
    cls_head=dict(
        type='I3DHead',
        spatial_type=None,  # a linear layer only: the input is pooled
        num_classes=1000,
        in_channels=_base_.spec.embedding_dims,
        dropout_ratio=0.0,
        average_clips='prob',  # probabilities averaged over the views (paper 2.2)
    ),
)
# Table 4: 90 epochs without warm-up, batch 4096.
max_epochs = 90
batch_size = min(128, 4096 // _base_.gpus)  # per GPU
optim_wrapper = dict(accumulative_counts=max(1, 4096 // (batch_size * _base_.gpus)))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, convert_to_iter_based=True)]
train_dataloader = dict(batch_size=batch_size)
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    results=dict(
        type='twlv_mm.ResultsHook',  # writes results.json
        task='recognition_linear',
        dataset='imagenet1k',
    ),
)
