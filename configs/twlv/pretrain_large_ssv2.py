# Pretraining of TWLV-I (+SSv2), ViT-L: with Something-Something v2's training videos; otherwise as pretrain_large.py.
_base_ = [
    '../_base_/datasets/pretrain_images_videos_ssv2.py',
    '../_base_/models/masked_pretrainer.py',
    '../_base_/schedules/pretrain_90k.py',
    '../_base_/pretrain_runtime.py',
]

written_for = 'twlv_large'
model = dict(backbone=dict(arch='twlv_large'), predictor=dict(num_heads=16))
default_hooks = dict(momentum=dict(type='twlv_mm.MomentumScheduleHook'))  # 0.998 to 1, as V-JEPA
