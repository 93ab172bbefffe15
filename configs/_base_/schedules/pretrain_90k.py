# Assumed: V-JEPA's schedule (Bardes et al. 2024, appendix) of 90,000 steps of 3,072 videos: 12,000 of warm-up, then a
# cosine. V-JEPA's weight decay grows from 0.04 to 0.4; here it is constant, as in VideoMAE.
max_iters = 90_000
warmup_iters = max_iters * 12 // 90
train_cfg = dict(type='twlv_mm.StepTrainLoop', max_iters=max_iters)
optim_wrapper = dict(
    type='twlv_mm.AutocastOptimWrapper',  # bf16
    optimizer=dict(type='AdamW', lr=6.25e-4, betas=(0.9, 0.999), weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=10.0),
    accumulative_counts=1,  # batches per optimizer step; the checkpoint interval must be a multiple of it
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.32, end=warmup_iters, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=warmup_iters, T_max=max_iters - warmup_iters, eta_min=1e-6, by_epoch=False),
]
