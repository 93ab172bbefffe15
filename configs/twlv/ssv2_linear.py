# Linear probe on Something-Something v2 (paper 2.2.1, Tables 3 and 4): frozen encoder, one linear layer on its vector.
_base_ = [
    '../_base_/datasets/ssv2_video.py',
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
        num_classes=174,
        in_channels=_base_.spec.embedding_dims,
        dropout_ratio=0.0,
        average_clips='prob',  # probabilities averaged over the views (paper 2.2)
    ),
)
# Table 4: 50 epochs at 0.075.
max_epochs = 50
warmup_epochs = max_epochs * 10 / 50
optim_wrapper = dict(optimizer=dict(lr=0.075))
train_dataloader = dict(batch_size=_base_.batch_size)
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    results=dict(
        type='twlv_mm.ResultsHook',  # writes results.json
        task='recognition_linear',
        dataset='ssv2',
    ),
)
