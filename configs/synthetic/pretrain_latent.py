# Masked pretraining on generated clips: tokens of the encoder's own moving average (V-JEPA's target).
_base_ = './pretrain_pixels.py'

model = dict(targets=dict(_delete_=True, latent=dict(type='twlv_mm.LatentTarget')))
default_hooks = dict(momentum=dict(type='twlv_mm.MomentumScheduleHook', start=0.99))  # of a short run; V-JEPA: 0.998
# Six minutes of a CPU core.
train_cfg = dict(max_iters=1600)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, T_max=1550, eta_min=0, by_epoch=False),
]
