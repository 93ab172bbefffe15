# Attentive probe on your own videos: a query attends to the frozen encoder's tokens, on live video. Each epoch encodes
# every video again, so a large encoder needs a GPU. docs/own_data.md shows how to use it.
_base_ = ['../_base_/datasets/own_videos.py', '../_base_/runtime.py']

max_epochs, batch_size, lr = 40, 8, 1e-3
model = dict(
    type='twlv_mm.ProbeRecognizer',
    features='tokens',
    data_preprocessor=_base_.preprocessor,
    backbone=_base_.backbone,
    cls_head=dict(
        type='twlv_mm.AttentiveHead',
        num_classes=_base_.num_classes,
        in_channels=_base_.spec.embed_dims,
        num_heads=_base_.spec.num_heads,
        across_clips=False,
    ),
)
train_dataloader = dict(batch_size=batch_size)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=max(1, max_epochs // 4))
val_cfg, test_cfg = dict(type='ValLoop'), dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='AdamW', lr=lr, weight_decay=0.01),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, convert_to_iter_based=True)]
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),
    checkpoint=dict(interval=max(1, max_epochs // 4), save_best=None, max_keep_ckpts=1),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_attentive',
        dataset=_base_.dataset_name,
    ),
)
