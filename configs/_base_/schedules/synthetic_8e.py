# 8 epochs of 3,000 clips: a few minutes on two CPU cores.
max_epochs = 8
warmup_epochs = max_epochs * 1 / 8
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp: faster on GPUs, and on CPUs with bf16 units (AVX-512 BF16, AMX)
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.04, end=warmup_epochs, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs - warmup_epochs,
        begin=warmup_epochs,
        eta_min=0,
        convert_to_iter_based=True,
    ),
]
randomness = dict(seed=0)
