# Spatio-temporal action localization on generated videos with boxes: the small encoder, which is fine-tuned, and a
# small end-to-end detector on it. `make small` trains the encoder, and
#   python tools/make_synthetic.py boxes --num-boxes 1200
# renders the videos. Set the encoder with --cfg-options encoder_weights=work_dirs/small/encoder.pth (default: random
# weights).
_base_ = [
    '../_base_/models/stal_detector.py',
    '../_base_/datasets/synthetic_boxes.py',
    '../_base_/schedules/synthetic_boxes_8e.py',
    '../_base_/runtime.py',
]

model = dict(
    data_preprocessor=_base_.boxes_preprocessor,
    backbone=dict(_base_.backbone, frozen=False),
    decoder=dict(
        in_channels=_base_.spec.embed_dims,
        num_frames=_base_.spec.num_frames // _base_.spec.tubelet_size,
        num_queries=16,
        num_layers=3,
        embed_dims=128,
        feedforward_channels=256,
        num_heads=4,
        dropout=0.0,
        drop_path=0.0,
    ),
    head=dict(num_classes=17, num_queries=16, embed_dims=128),
)
default_hooks = dict(
    checkpoint=dict(interval=2, save_best=None, max_keep_ckpts=2),
    data=dict(type='twlv_mm.CheckAVAHook'),
    visualization=dict(type='twlv_mm.DetectionVisualizationHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='detection',
        dataset='synthetic_boxes',
    ),
)
