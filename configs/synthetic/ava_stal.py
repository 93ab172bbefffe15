# Spatio-temporal action localization on generated videos with boxes: the small encoder, which goes on learning, and a
# small end-to-end detector on it. `make small` makes the encoder, and
#   python tools/make_synthetic.py boxes --num-boxes 1200
# the videos. Give the encoder with --cfg-options encoder_weights=work_dirs/small/encoder.pth; without, it is random.
_base_ = [
    '../_base_/models/stal_detector.py',
    '../_base_/datasets/synthetic_boxes.py',
    '../_base_/schedules/synthetic_boxes_8e.py',
    '../_base_/runtime.py',
]

encoder_weights = None
written_for = 'twlv_small_synthetic'
model = dict(
    data_preprocessor=dict(size_divisor=8),
    backbone=dict(arch='twlv_small_synthetic', img_size=64, num_frames=8, frozen=False),
    decoder=dict(
        in_channels=128,
        num_frames=2,
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
        protocol=dict(head='end to end', frames=8, seconds=4 / 3, resolution=64),
    ),
)
