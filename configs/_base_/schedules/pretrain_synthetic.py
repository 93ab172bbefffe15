# Pretraining on generated clips: 1,500 steps, some three minutes of two CPU cores.
_base_ = '../pretrain_runtime.py'

train_cfg = dict(type='twlv_mm.StepTrainLoop', max_iters=1500)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.95), weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, T_max=1450, eta_min=0, by_epoch=False),
]
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=1))
randomness = dict(seed=0)
