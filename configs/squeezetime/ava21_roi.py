# Actions in given person boxes on AVA v2.1: AVARoIHead on SqueezeTime's variant for detection, pretrained on
# Kinetics-400 (encoder_weights). Numbers from the official config; proposals with a score above 0.9, as in mmaction2.
_base_ = [
    '../_base_/models/ava_roi_head.py',
    '../_base_/datasets/ava_video.py',
    '../_base_/schedules/squeezetime_100e.py',
    '../_base_/runtime.py',
]

encoder = '{{$ENCODER:squeezetime_r50}}'
encoder_overrides = dict(detection=True)  # 2048 channels: 128 for each of 16 moments
model = dict(
    data_preprocessor=_base_.boxes_preprocessor,
    backbone=dict(_base_.backbone, frozen=False),
    roi_head=dict(
        bbox_roi_extractor=dict(featmap_stride=_base_.spec.patch_size),
        bbox_head=dict(in_channels=_base_.spec.embed_dims),
    ),
)
annotations = 'data/ava/annotations'
label_file = f'{annotations}/ava_action_list_v2.1_for_activitynet_2018.pbtxt'
train_files = dict(
    ann_file=f'{annotations}/ava_train_v2.1.csv',
    exclude_file=f'{annotations}/ava_train_excluded_timestamps_v2.1.csv',
    label_file=label_file,
)
val_files = dict(
    ann_file=f'{annotations}/ava_val_v2.1.csv',
    exclude_file=f'{annotations}/ava_val_excluded_timestamps_v2.1.csv',
    label_file=label_file,
)
frames = _base_.spec.num_frames
clip = dict(type='twlv_mm.SampleKeyframeClip', clip_len=frames, seconds=64 / 30)  # every fourth frame at 30 fps
squash = dict(type='Resize', scale=(256, 256), keep_ratio=False)
train_pipeline = [
    clip,
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='Resize', scale=(-1, 288)),
    dict(type='MultiScaleCrop', input_size=256, scales=(1, 0.875, 0.75, 0.66, 0.5), random_crop=True),
    squash,
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitter'),
    dict(type='RandomErasing', erase_prob=0.25, mode='rand'),
    dict(type='FormatShape', input_format='NCTHW', collapse=True),
    dict(type='twlv_mm.PackDetection'),
]
test_pipeline = [
    clip,
    dict(type='twlv_mm.DecodeVideo'),
    squash,
    dict(type='FormatShape', input_format='NCTHW', collapse=True),
    dict(type='twlv_mm.PackDetection'),
]
test_set = dict(proposal_file={{_base_.val_proposals}}, pipeline=test_pipeline, **val_files)
train_dataloader = dict(
    batch_size=16, dataset=dict(proposal_file={{_base_.train_proposals}}, pipeline=train_pipeline, **train_files)
)
val_dataloader = dict(dataset=test_set)
test_dataloader = dict(dataset=test_set)
val_evaluator = val_files
test_evaluator = val_files
max_epochs = 50
warmup_epochs = max_epochs * 5 / 50
train_cfg = dict(val_interval=3)
optim_wrapper = dict(optimizer=dict(lr=1.0, weight_decay=1e-5))
auto_scale_lr = dict(base_batch_size=128)
default_hooks = dict(
    checkpoint=dict(save_best='mAP@0.5', rule='greater'),
    data=dict(type='twlv_mm.CheckAVAHook'),
    visualization=dict(type='twlv_mm.DetectionVisualizationHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='detection',
        dataset='ava_v2.1',
    ),
)
