# SqueezeTime on Kinetics-400, pretrained on ImageNet-1K (encoder_weights). Numbers from the official config; published:
# 71.64 %.
_base_ = [
    '../_base_/datasets/k400_video.py',
    '../_base_/schedules/squeezetime_100e.py',
    '../_base_/runtime.py',
]

encoder = '{{$ENCODER:squeezetime_r50}}'
model = dict(
    type='Recognizer3D',
    data_preprocessor=_base_.preprocessor,
    backbone=dict(_base_.backbone, frozen=False),
    # As the official I2DHead: mean over space; time is in the channels.
    cls_head=dict(
        type='I3DHead', num_classes=400, in_channels=_base_.spec.embed_dims, dropout_ratio=0.5, average_clips='prob'
    ),
)
cut = dict(type='MultiScaleCrop', input_size=_base_.size, scales=(1, 0.875, 0.75, 0.66, 0.5), random_crop=True)
short_side = round(_base_.size * 256 / 224)
train_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=1),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='Resize', scale=(-1, short_side), interpolation=_base_.interpolation),
    cut,
    _base_.squash,
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitter'),
    dict(type='RandomErasing', erase_prob=0.25, mode='rand'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
val_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=1, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    dict(_base_.square, short_side=short_side),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=10, test_mode=True),
    *_base_.three_views,
    dict(type='PackActionInputs'),
]
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=64, dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_finetune',
        dataset='kinetics400',
    ),
)
