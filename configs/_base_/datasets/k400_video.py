# Kinetics-400 as video files: data/kinetics400/, list files of "name.mp4 label" lines, as mmaction2 prepares them.
# Clips of 16 frames with stride 4; tested on 8 clips x 3 crops (V-JEPA's K400 recipe, which the paper follows).
data_root = 'data/kinetics400'

train_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=16, frame_interval=4, num_clips=1),
    dict(type='twlv_mm.DecodeVideo'),
    # V-JEPA's recipe: no flip.
    dict(type='twlv_mm.RandAugment', num_ops=4, magnitude=7),
    dict(type='RandomResizedCrop', area_range=(0.08, 1.0)),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='twlv_mm.RandomErasing', prob=0.25),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
val_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=16, frame_interval=4, num_clips=1, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='twlv_mm.ResizeCrop', size=224),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=16, frame_interval=4, num_clips=8, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='twlv_mm.LongSideCrops', size=224, num_crops=3, resize='short_side'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'num_clips')),  # the attentive head needs num_clips
]

train_set = dict(
    type='twlv_mm.VideoListDataset',
    ann_file=f'{data_root}/kinetics400_train_list_videos.txt',
    data_prefix=dict(video=f'{data_root}/videos_train'),
)
val_set = dict(
    type='twlv_mm.VideoListDataset',
    ann_file=f'{data_root}/kinetics400_val_list_videos.txt',
    data_prefix=dict(video=f'{data_root}/videos_val'),
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
# One video is 24 views.
test_dataloader = dict(val_dataloader, batch_size=1, dataset=dict(pipeline=test_pipeline, **val_set))
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy',))
test_evaluator = [val_evaluator, dict(type='twlv_mm.ClassMetric')]  # per class, their mean, and who is taken for whom
