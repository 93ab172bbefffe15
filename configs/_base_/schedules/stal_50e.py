# The schedule of paper Table 8: 50 epochs, 10 of them warm-up, batch 256. Assumed (not in the paper): a cosine after
# the warm-up, and gradient clipping at 0.1 (DETR).
gpus = int('{{$WORLD_SIZE:1}}')  # set by torchrun and tools/slurm_run.sh
max_epochs = 50
warmup_epochs = max_epochs * 10 / 50
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=1e-5),
    clip_grad=dict(max_norm=0.1),
    accumulative_counts=max(1, 256 // (8 * gpus)),  # with 8 clips per GPU: 32 steps on one GPU, 4 on 8
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=warmup_epochs, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=warmup_epochs, T_max=max_epochs - warmup_epochs, convert_to_iter_based=True),
]
