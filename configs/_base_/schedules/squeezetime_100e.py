# SqueezeTime's schedule on Kinetics-400, from its official config: 100 epochs of SGD, 8 of them warm-up, then a cosine
# to a hundredth. The learning rate is for batches of 64 clips and is scaled to the actual size.
max_epochs = 100
warmup_epochs = max_epochs * 8 / 100
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='SGD', lr=0.015, momentum=0.9, weight_decay=7e-5),
    clip_grad=dict(max_norm=40),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=warmup_epochs, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=warmup_epochs,
        T_max=max_epochs - warmup_epochs,
        eta_min_ratio=0.01,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(enable=True, base_batch_size=64)
