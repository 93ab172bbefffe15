# Masked pretraining on generated clips, on several targets at once: the appearance that a teacher of single frames
# knows, the pixels of the masked patches, and the encoder's own moving average. Nothing in it knows motions.
_base_ = './pretrain_teacher.py'

model = dict(
    targets=dict(pixels=dict(type='twlv_mm.PixelTarget', per_patch=False), latent=dict(type='twlv_mm.LatentTarget'))
)
default_hooks = dict(momentum=dict(type='twlv_mm.MomentumScheduleHook', start=0.99))
# Three minutes of two CPU cores.
train_cfg = dict(max_iters=800)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, T_max=750, eta_min=0, by_epoch=False),
]
