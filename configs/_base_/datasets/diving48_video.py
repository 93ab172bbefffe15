# Diving-48 (V2 labels) as video files: data/diving48/, prepared by tools/data/diving48/prepare.py.
# Clips of 16 frames with stride 4; tested on 4 clips x 3 crops: assumed. V-JEPA 2 tests Diving-48 on 4 x 3 clips of 32
# frames with stride 2, which span the same time.
data_root = 'data/diving48'

train_pipeline = [
    dict(type='DecordInit'),
    dict(type='SampleFrames', clip_len=16, frame_interval=4, num_clips=1),
    dict(type='DecordDecode'),
    dict(type='RandomResizedCrop', area_range=(0.08, 1.0)),  # no flip: as the other sets (assumed)
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
val_pipeline = [
    dict(type='DecordInit'),
    dict(type='SampleFrames', clip_len=16, frame_interval=4, num_clips=1, test_mode=True),
    dict(type='DecordDecode'),
    dict(type='Resize', scale=(-1, 224)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='DecordInit'),
    dict(type='SampleFrames', clip_len=16, frame_interval=4, num_clips=4, test_mode=True),
    dict(type='DecordDecode'),
    dict(type='Resize', scale=(-1, 224)),
    dict(type='twlv_mm.LongSideCrops', size=224, num_crops=3),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'num_clips')),  # the attentive head needs num_clips
]

train_set = dict(
    type='twlv_mm.VideoListDataset',
    ann_file=f'{data_root}/diving48_train_list_videos.txt',
    data_prefix=dict(video=f'{data_root}/videos'),
)
val_set = dict(
    type='twlv_mm.VideoListDataset',
    ann_file=f'{data_root}/diving48_val_list_videos.txt',
    data_prefix=dict(video=f'{data_root}/videos'),
    test_mode=True,
)
train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline, **train_set),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(pipeline=val_pipeline, **val_set),
)
# One video is 12 views.
test_dataloader = dict(val_dataloader, batch_size=1, dataset=dict(pipeline=test_pipeline, **val_set))
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy', 'mean_class_accuracy'))
test_evaluator = [val_evaluator, dict(type='twlv_mm.ClassMetric')]  # per class, and who is taken for whom
