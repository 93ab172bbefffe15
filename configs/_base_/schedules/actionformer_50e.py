# ActionFormer's schedule for THUMOS14 (paper Table 7 and published code): 5 epochs of warm-up and 45 of cosine.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=50)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # --amp: bf16
    # The paper's Table 7 has the learning rates of THUMOS14 and ActivityNet the other way round; code and ActionFormer
    # agree on these.
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0, custom_keys=dict(scale=dict(decay_mult=0.0))),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=5, T_max=45, eta_min=1e-8, convert_to_iter_based=True),
]
# What is saved and tested is the average of the weights, with decay 0.999. Assumed: it starts with less, (t - 10) / t
# after t iterations, so that a short run is not tested on the weights that it started from.
custom_hooks = [dict(type='EMAHook', ema_type='mmengine.MomentumAnnealingEMA', momentum=0.001, gamma=10)]
