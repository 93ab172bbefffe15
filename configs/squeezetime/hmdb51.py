# SqueezeTime on HMDB51, split 1, pretrained on Kinetics-400 (encoder_weights). Numbers from the official config;
# published: 65.56 %. For another split, change the 1 in the names of the lists.
_base_ = './k400.py'

data_root = 'data/hmdb51'
train_list = dict(
    ann_file=f'{data_root}/hmdb51_train_split_1_videos.txt', data_prefix=dict(video=f'{data_root}/videos')
)
val_list = dict(ann_file=f'{data_root}/hmdb51_val_split_1_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=2, test_mode=True),
    *_base_.three_views,
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=2, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    # Larger than in training, as in the official config; position tables are resized.
    dict(_base_.crops, size=round(_base_.size * 286 / 224), num_crops=3),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
model = dict(cls_head=dict(num_classes=51))
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(batch_size=16, dataset=dict(pipeline=val_pipeline, **val_list))
test_dataloader = dict(batch_size=16, dataset=dict(pipeline=test_pipeline, **val_list))
max_epochs = 50
train_cfg = dict(val_interval=1)
optim_wrapper = dict(
    optimizer=dict(lr=0.02, weight_decay=0.008), paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1)))
)
param_scheduler = [
    dict(type='MultiStepLR', milestones=[max(1, max_epochs * part // 50) for part in (12, 24)], gamma=0.1)
]
default_hooks = dict(results=dict(dataset='hmdb51_split1'))
