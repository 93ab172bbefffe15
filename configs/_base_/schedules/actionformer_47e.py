# ActionFormer for THUMOS14: 2 epochs of warm-up and 45 of cosine, weight decay 0.05 (paper Table 7; TWLV-I's code
# and ActionFormer's have 5 of warm-up). No decay of norms, biases and scales, and gradient clipping at 1: ActionFormer.
max_epochs = 47
warmup_epochs = max_epochs * 2 / 47
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    # Table 7 has 1e-3 here and 1e-4 for ActivityNet; TWLV-I's code and ActionFormer's have it the other way round.
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0, custom_keys=dict(scale=dict(decay_mult=0.0))),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=warmup_epochs, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=warmup_epochs,
        T_max=max_epochs - warmup_epochs,
        eta_min=1e-8,
        convert_to_iter_based=True,
    ),
]
# The average of the weights, with decay 0.999, is saved and tested. Assumed: the decay starts lower, (t - 10) / t after
# t iterations, so that a short run is not tested on its initial weights.
custom_hooks = [dict(type='EMAHook', ema_type='mmengine.MomentumAnnealingEMA', momentum=0.001, gamma=10)]
