# Attentive probing as in paper Table 4, the numbers of K400, MiT and SSv2: 20 epochs without warm-up, batch 256. The
# table names no optimizer: 0.001 is V-JEPA's rate of AdamW, whose biases and norms do not decay. V-JEPA also clips
# gradients at 1; the table names no such thing, nor does this.
gpus = int('{{$WORLD_SIZE:1}}')  # torchrun and tools/slurm_run.sh set it
batch_size = min(32, 256 // gpus)  # of a GPU
max_epochs = 20
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # --amp: bf16
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-5),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    accumulative_counts=256 // (batch_size * gpus),  # 8 steps on one GPU, 1 on 8
)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, convert_to_iter_based=True)]
