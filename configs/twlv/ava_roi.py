# Actions in given person boxes on AVA v2.2: mmaction2's AVARoIHead on TWLV-I. The paper has no given boxes
# (ava_stal.py), but most published numbers on AVA do.
_base_ = [
    '../_base_/models/ava_roi_head.py',
    '../_base_/datasets/ava_video.py',
    '../_base_/schedules/stal_50e.py',
    '../_base_/runtime.py',
]

model = dict(
    data_preprocessor=_base_.boxes_preprocessor,
    backbone=_base_.backbone,
    roi_head=dict(
        bbox_roi_extractor=dict(featmap_stride=_base_.spec.patch_size),
        bbox_head=dict(in_channels=_base_.spec.embed_dims),
    ),
)
# Boxes of a person detector with a score above 0.9, as in mmaction2's configs.
train_dataloader = dict(dataset=dict(proposal_file={{_base_.train_proposals}}))
val_dataloader = dict(dataset=dict(proposal_file={{_base_.val_proposals}}))
test_dataloader = dict(dataset=dict(proposal_file={{_base_.val_proposals}}))
default_hooks = dict(
    checkpoint=dict(save_best='mAP@0.5', rule='greater'),
    data=dict(type='twlv_mm.CheckAVAHook'),
    visualization=dict(type='twlv_mm.DetectionVisualizationHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='detection',
        dataset='ava_v2.2',
    ),
)
