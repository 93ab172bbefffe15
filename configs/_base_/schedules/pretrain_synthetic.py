# Pretraining on generated clips. How many steps take how long depends on the targets: configs set max_iters and the
# learning rate's schedule.
_base_ = '../pretrain_runtime.py'

train_cfg = dict(type='twlv_mm.StepTrainLoop', max_iters=None)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.95), weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=1.0),
)
default_hooks = dict(checkpoint=dict(interval=100, max_keep_ckpts=1))
randomness = dict(seed=0)
