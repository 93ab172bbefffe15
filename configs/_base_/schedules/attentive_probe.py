# Attentive probing of paper Table 4 (K400, MiT, SSv2): 20 epochs without warm-up, batch 256. The table has no
# optimizer; 0.001 is V-JEPA's rate of AdamW, without decay of biases and norms. V-JEPA also clips gradients at 1; the
# table does not mention it, and this config does not.
gpus = int('{{$WORLD_SIZE:1}}')  # set by torchrun and tools/slurm_run.sh
batch_size = min(32, 256 // gpus)  # per GPU
max_epochs = 20
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-5),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    accumulative_counts=max(1, 256 // (batch_size * gpus)),  # 8 steps on one GPU, 1 on 8
)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, convert_to_iter_based=True)]
