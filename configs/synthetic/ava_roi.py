# Actions of given boxes on generated videos: mmaction2's AVARoIHead on the small encoder, which goes on learning. Boxes
# with a score above 0.9 are those of the acting shapes, off by half a pixel. `make small` makes the encoder, and
#   python tools/make_synthetic.py boxes --num-boxes 1200
# the videos. Give the encoder with --cfg-options encoder_weights=work_dirs/small/encoder.pth; without, it is random.
_base_ = ['../_base_/models/ava_roi_head.py', '../_base_/datasets/synthetic_boxes.py', '../_base_/runtime.py']

encoder_weights = None
written_for = 'twlv_small_synthetic'
model = dict(
    data_preprocessor=dict(size_divisor=8),
    backbone=dict(arch='twlv_small_synthetic', img_size=64, num_frames=8, frozen=False),
    roi_head=dict(
        bbox_roi_extractor=dict(featmap_stride=8, output_size=4),
        bbox_head=dict(in_channels=128, num_classes=17, dropout_ratio=0.0),
    ),
)
train_dataloader = dict(dataset=dict(proposal_file={{_base_.train_proposals}}))
val_dataloader = dict(dataset=dict(proposal_file={{_base_.val_proposals}}))
test_dataloader = dict(dataset=dict(proposal_file={{_base_.val_proposals}}))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=8, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=7, convert_to_iter_based=True),
]
default_hooks = dict(
    checkpoint=dict(interval=2, save_best=None, max_keep_ckpts=2),
    data=dict(type='twlv_mm.CheckAVAHook'),
    visualization=dict(type='twlv_mm.DetectionVisualizationHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='detection',
        dataset='synthetic_boxes',
        protocol=dict(head='AVARoIHead', boxes='proposals', frames=8, seconds=4 / 3, resolution=64),
    ),
)
