# Masked pretraining on generated clips, on several targets at once: the appearance that a teacher of single frames
# knows, the pixels of the masked patches, and the encoder's own moving average. Nothing in it knows motions.
_base_ = './pretrain_teacher.py'

model = dict(
    targets=dict(pixels=dict(type='twlv_mm.PixelTarget', per_patch=False), latent=dict(type='twlv_mm.LatentTarget'))
)
default_hooks = dict(momentum=dict(type='twlv_mm.MomentumScheduleHook', start=0.99))
