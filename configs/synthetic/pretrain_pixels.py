# Masked pretraining of the small encoder on generated clips: pixels of the masked patches (VideoMAE's target).
# What comes out is an encoder: --cfg-options encoder_weights=work_dirs/pretrain_pixels/iter_1000.pth of the probes.
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
    targets=dict(pixels=dict(type='twlv_mm.PixelTarget')),
)
