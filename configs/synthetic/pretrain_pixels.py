# Masked pretraining of the small encoder on generated clips: pixels of the masked patches (VideoMAE's target).
# What comes out is an encoder: --cfg-options encoder_weights=work_dirs/pretrain_pixels/iter_2000.pth of the probes.
_base_ = [
    '../_base_/datasets/synthetic_pretrain.py',
    '../_base_/schedules/pretrain_synthetic.py',
]

test_dataloader, test_evaluator = None, None
model = dict(
    type='twlv_mm.MaskedPretrainer',
    data_preprocessor=_base_.preprocessor,
    backbone=dict(_base_.backbone, frozen=False),
    # What is known of a shape that moves by a patch in a patch's time is in its neighbours: with 75 % masked, as a
    # larger encoder is trained, little more than the clip's colour was learned in minutes.
    masks=[dict(type='twlv_mm.RandomMask', ratio=0.5)],
    predictor=dict(dims=128, depth=1, num_heads=4),
    # Normalised by patch, they are mostly the noise of a background without texture.
    targets=dict(pixels=dict(type='twlv_mm.PixelTarget', per_patch=False)),
)
# Six minutes of a CPU core.
max_iters = 2000
