# Moments in Time as video files: data/mit/, prepared by tools/data/mit/prepare.py.
# Clips of 16 frames with stride 4; tested on 2 clips x 3 crops. Both assumed: V-JEPA's recipe for SSv2, whose videos
# are as short.
data_root = 'data/mit'

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
    dict(type='SampleFrames', clip_len=16, frame_interval=4, num_clips=2, test_mode=True),
    dict(type='DecordDecode'),
    dict(type='Resize', scale=(-1, 224)),
    dict(type='twlv_mm.LongSideCrops', size=224, num_crops=3),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'num_clips')),  # the attentive head needs num_clips
]

train_set = dict(
    type='twlv_mm.VideoListDataset',
    ann_file=f'{data_root}/mit_train_list_videos.txt',
    data_prefix=dict(video=f'{data_root}/videos'),
)
val_set = dict(
    type='twlv_mm.VideoListDataset',
    ann_file=f'{data_root}/mit_val_list_videos.txt',
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
# One video is 6 views.
test_dataloader = dict(val_dataloader, batch_size=4, dataset=dict(pipeline=test_pipeline, **val_set))
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy', 'mean_class_accuracy'))
test_evaluator = [val_evaluator, dict(type='twlv_mm.ClassMetric')]  # per class, and who is taken for whom
