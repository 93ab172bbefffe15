# Linear probe on the direction of a moving shape: frozen tiny encoder, one linear layer on the mean of its tokens.
_base_ = [
    '../_base_/encoders/twlv_small_synthetic.py',
    '../_base_/datasets/synthetic_direction.py',
    '../_base_/runtime.py',
]

model = dict(
    type='Recognizer3D',
    backbone=dict(arch='twlv_tiny_synthetic'),
    cls_head=dict(
        type='I3DHead', num_classes=4, in_channels=128, init_std=0.02, dropout_ratio=0.0, average_clips='prob'
    ),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=15)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=15, by_epoch=True, convert_to_iter_based=True)]
default_hooks = dict(
    checkpoint=dict(save_best=None, interval=5, max_keep_ckpts=2),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_linear',
        dataset='synthetic_direction',
        protocol=dict(frames=8, clips=1, crops=1),
    ),
)
randomness = dict(seed=0)
