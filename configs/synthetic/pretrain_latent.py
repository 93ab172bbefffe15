# Masked pretraining on generated clips: tokens of the encoder's own moving average (V-JEPA's target).
_base_ = './pretrain_pixels.py'

model = dict(
    masks=[dict(type='twlv_mm.RandomMask', ratio=0.75)],
    targets=dict(_delete_=True, latent=dict(type='twlv_mm.LatentTarget')),
)
# The base's, which a list cannot be added to, and the moving average's.
custom_hooks = [
    dict(type='twlv_mm.FiniteGradientHook'),
    dict(type='twlv_mm.ClipRateHook'),
    dict(type='twlv_mm.MomentumScheduleHook', start=0.99),
]
