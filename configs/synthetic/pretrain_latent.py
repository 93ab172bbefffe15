# Masked pretraining on generated clips: tokens of the encoder's own moving average (V-JEPA's target).
_base_ = './pretrain_pixels.py'

model = dict(
    masks=[dict(type='twlv_mm.RandomMask', ratio=0.75)],
    targets=dict(_delete_=True, latent=dict(type='twlv_mm.LatentTarget')),
)
custom_hooks = {{_base_.custom_hooks}} + [dict(type='twlv_mm.MomentumScheduleHook', start=0.99)]
