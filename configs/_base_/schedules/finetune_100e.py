# VideoMAE's fine-tuning of ViT-B on Kinetics-400 (its published command: 64 GPUs x 8 clips, 100 epochs, rate 1e-3 for
# 256 clips, otherwise its defaults): AdamW, layer-wise decay of the rate by 0.75, 5 epochs of warm-up.
gpus = int('{{$WORLD_SIZE:1}}')  # set by torchrun and tools/slurm_run.sh
batch_size = min(8, 512 // gpus)  # per GPU
max_epochs = 100
warmup_epochs = max_epochs * 5 / 100
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.999), weight_decay=0.05),
    constructor='LearningRateDecayOptimizerConstructor',  # of mmaction2; no weight decay of biases and norms
    paramwise_cfg=dict(decay_type='layer_wise', decay_rate=0.75),
    accumulative_counts=max(1, 512 // (batch_size * gpus)),  # 64 steps on one GPU, 8 on 8
)
# For DistributedDataParallel: heads on the feature map leave projections and other poolings of the encoder unused.
find_unused_parameters = True
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=warmup_epochs, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=warmup_epochs,
        T_max=max_epochs - warmup_epochs,
        eta_min_ratio=1e-3,
        convert_to_iter_based=True,
    ),
]
# This project's choice, with the decay of VideoMAE's option: the average of the weights is saved and tested.
custom_hooks = [dict(type='EMAHook', ema_type='mmengine.MomentumAnnealingEMA', momentum=1e-4, gamma=10)]
