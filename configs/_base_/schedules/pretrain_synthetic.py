# Pretraining on generated clips. The duration of a step depends on the targets: configs set max_iters.
_base_ = '../pretrain_runtime.py'

max_iters = 2000
warmup_iters = min(50, max_iters // 10)
train_cfg = dict(type='twlv_mm.StepTrainLoop', max_iters=max_iters)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.95), weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=warmup_iters, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=warmup_iters, T_max=max_iters - warmup_iters, eta_min=0, by_epoch=False),
]
default_hooks = dict(checkpoint=dict(interval=100, max_keep_ckpts=1))
randomness = dict(seed=0)
