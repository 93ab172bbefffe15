# Actions in given boxes on generated videos: mmaction2's AVARoIHead on the small encoder, which is fine-tuned.
# Proposals with a score above 0.9 are those of the actors, off by half a pixel. `make small` trains the encoder, and
#   python tools/make_synthetic.py boxes --num-boxes 1200
# renders the videos. Set the encoder with --cfg-options encoder_weights=work_dirs/small/encoder.pth (default: random
# weights).
_base_ = [
    '../_base_/models/ava_roi_head.py',
    '../_base_/datasets/synthetic_boxes.py',
    '../_base_/schedules/synthetic_boxes_8e.py',
    '../_base_/runtime.py',
]

model = dict(
    data_preprocessor=_base_.boxes_preprocessor,
    backbone=dict(_base_.backbone, frozen=False),
    roi_head=dict(
        bbox_roi_extractor=dict(featmap_stride=_base_.spec.patch_size, output_size=4),
        bbox_head=dict(in_channels=_base_.spec.embed_dims, num_classes=17, dropout_ratio=0.0),
    ),
)
train_dataloader = dict(dataset=dict(proposal_file={{_base_.train_proposals}}))
val_dataloader = dict(dataset=dict(proposal_file={{_base_.val_proposals}}))
test_dataloader = dict(dataset=dict(proposal_file={{_base_.val_proposals}}))
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
