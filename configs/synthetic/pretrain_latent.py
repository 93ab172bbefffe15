# Masked pretraining on generated clips: tokens of the encoder's own moving average (V-JEPA's target).
_base_ = './pretrain_pixels.py'

model = dict(targets=dict(_delete_=True, latent=dict(type='twlv_mm.LatentTarget')))
default_hooks = dict(momentum=dict(type='twlv_mm.MomentumScheduleHook', start=0.99))  # for a short run; V-JEPA: 0.998
# Six minutes on one CPU core.
max_iters = 1600
