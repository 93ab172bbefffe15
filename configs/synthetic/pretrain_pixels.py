# Masked pretraining of the small encoder on generated clips: pixels of the masked patches (VideoMAE's target).
# What comes out is an encoder: --cfg-options encoder_weights=work_dirs/pretrain_pixels/iter_1900.pth of the probes.
_base_ = [
    '../_base_/datasets/synthetic_pretrain.py',
    '../_base_/encoders/twlv_small_synthetic.py',
    '../_base_/schedules/pretrain_synthetic.py',
]

test_dataloader, test_evaluator = None, None
model = dict(
    type='twlv_mm.MaskedPretrainer',
    backbone=dict(frozen=False),
    masks=[dict(type='twlv_mm.RandomMask', ratio=0.75)],
    predictor=dict(dims=64, depth=1, num_heads=4),
    # Normalised by patch, they are mostly the noise of a background without texture: nothing is learned in minutes.
    targets=dict(pixels=dict(type='twlv_mm.PixelTarget', per_patch=False)),
)
# Three minutes of two CPU cores.
train_cfg = dict(max_iters=1900)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, T_max=1850, eta_min=0, by_epoch=False),
]
