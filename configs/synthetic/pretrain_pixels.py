# Masked pretraining of the small encoder on generated clips: pixels of the masked patches (VideoMAE's target).
# For the probes: --cfg-options encoder_weights=work_dirs/pretrain_pixels/iter_2000.pth.
_base_ = [
    '../_base_/datasets/synthetic_pretrain.py',
    '../_base_/schedules/pretrain_synthetic.py',
]

test_dataloader, test_evaluator = None, None
model = dict(
    type='twlv_mm.MaskedPretrainer',
    data_preprocessor=_base_.preprocessor,
    backbone=dict(_base_.backbone, frozen=False),
    # A shape that moves by a patch per tubelet can only be predicted from neighbouring patches: with 75 % masked, as
    # for larger encoders, little more than the colour of a clip was learned within minutes.
    masks=[dict(type='twlv_mm.RandomMask', ratio=0.5)],
    predictor=dict(dims=128, depth=1, num_heads=4),
    # Not normalised per patch: that would amplify the noise of the smooth background.
    targets=dict(pixels=dict(type='twlv_mm.PixelTarget', per_patch=False)),
)
# Six minutes on one CPU core.
max_iters = 2000
