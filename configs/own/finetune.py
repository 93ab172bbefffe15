# Fine-tuning on your own videos: the whole encoder is trained, with layer-wise decay of the rate. For 200 videos or
# more; with fewer, use linear.py. docs/own_data.md shows how to use it.
_base_ = ['../_base_/datasets/own_videos.py', '../_base_/runtime.py']

from twlv_mm.encoders import ARCHITECTURES  # noqa: E402

max_epochs, batch_size, lr = 30, 8, 5e-4
warmup_epochs = max_epochs / 10
patience = 0  # stop after this many validations without a better score; 0: never
# Only for vision transformers of the model table: mmaction2's constructor rejects others.
depth = _base_.encoder_overrides.get('depth') or getattr(ARCHITECTURES.get(_base_.encoder), 'depth', None)
del ARCHITECTURES  # not a part of the config that a run writes
model = dict(
    type='Recognizer3D',
    data_preprocessor=_base_.preprocessor,
    backbone=dict(_base_.backbone, frozen=False, drop_path_rate=0.1),
    cls_head=dict(
        type='I3DHead',
        num_classes=_base_.num_classes,
        in_channels=_base_.spec.embed_dims,
        dropout_ratio=0.0,
        label_smooth_eps=0.1,
        average_clips='prob',
    ),
)
train_dataloader = dict(batch_size=batch_size)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=max(1, max_epochs // 10))
val_cfg, test_cfg = dict(type='ValLoop'), dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='AdamW', lr=lr, betas=(0.9, 0.999), weight_decay=0.05),
    constructor='LearningRateDecayOptimizerConstructor',  # of mmaction2; no weight decay of biases and norms
    paramwise_cfg=dict(decay_type='layer_wise', decay_rate=0.75, num_layers=depth),
    clip_grad=dict(max_norm=1.0),
)
# For DistributedDataParallel: heads on the feature map leave projections and other poolings of the encoder unused.
find_unused_parameters = True
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-2, end=warmup_epochs, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=warmup_epochs,
        T_max=max_epochs - warmup_epochs,
        eta_min=0,
        convert_to_iter_based=True,
    ),
]
# The default of min_delta, 0.1, ignores improvements below ten percent.
early_stopping = dict(type='EarlyStoppingHook', monitor='acc/top1', patience=patience, min_delta=1e-6)
custom_hooks = [early_stopping] if patience else []
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),
    checkpoint=dict(interval=max(1, max_epochs // 10), save_best='acc/top1', max_keep_ckpts=1),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_finetune',
        dataset=_base_.dataset_name,
    ),
)
