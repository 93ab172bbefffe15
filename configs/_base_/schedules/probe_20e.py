# V-JEPA's probe recipe, "with minor changes" the paper's (Table 4, unreadable): 20 epochs of AdamW, the learning rate
# from 1e-3 to 0 by cosine, each iteration, without warm-up; no decay of biases and norms; gradients clipped at 1.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=20, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # --amp: bf16
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=20, eta_min=0, by_epoch=True, convert_to_iter_based=True)]
auto_scale_lr = dict(enable=False, base_batch_size=256)  # 8 GPUs x 32 clips
