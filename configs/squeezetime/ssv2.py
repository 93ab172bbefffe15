# SqueezeTime on Something-Something v2. Its recipe is not published: assumed as k400.py, but never flipped, because
# classes tell left from right.
_base_ = './k400.py'

data_root = 'data/ssv2'
train_list = dict(ann_file=f'{data_root}/ssv2_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/ssv2_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
train_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=16, frame_interval=4, num_clips=1),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='MultiScaleCrop', input_size=224, scales=(1, 0.875, 0.75, 0.66, 0.5), random_crop=True),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='ColorJitter'),
    dict(type='RandomErasing', erase_prob=0.25, mode='rand'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
model = dict(cls_head=dict(num_classes=174))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **train_list))
val_dataloader = dict(dataset=val_list)
test_dataloader = dict(dataset=val_list)
default_hooks = dict(results=dict(dataset='ssv2'))
