# Linear probing of paper Table 4 (K400, EPIC-KITCHENS): 150 epochs, 10 of them warm-up, batch 1024. The table has no
# optimizer, no momentum and no scaling rule: rates of 0.02 to 0.1 without weight decay suggest SGD, momentum 0.9 is
# usual for linear probes, and the rate is used as printed.
gpus = int('{{$WORLD_SIZE:1}}')  # set by torchrun and tools/slurm_run.sh
batch_size = min(32, 1024 // gpus)  # per GPU
max_epochs = 150
warmup_epochs = max_epochs * 10 / 150
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0),
    accumulative_counts=max(1, 1024 // (batch_size * gpus)),  # 32 steps on one GPU, 4 on 8
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=warmup_epochs, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=warmup_epochs,
        T_max=max_epochs - warmup_epochs,
        eta_min=0,
        convert_to_iter_based=True,
    ),
]
