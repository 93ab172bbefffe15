# EPIC-KITCHENS-100 as segments of long videos: data/epic_kitchens100/, prepared by
# tools/data/epic_kitchens100/prepare.py.
# All assumed, the paper does not say: verbs are the classes; clips of 64/30 s, which are 16 frames with stride 4 at 30
# frames a second, whatever the video has (50 or 60); tested on 2 clips x 3 crops, as SSv2.
_base_ = '../encoder.py'

data_root = 'data/epic_kitchens100'

frames, clip_seconds = _base_.spec.num_frames, 64 / 30
clips = dict(type='twlv_mm.SegmentSample', num_frames=frames, clip_seconds=clip_seconds)
# As the other sets (assumed).
augmentation = [
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='twlv_mm.RandAugment', num_ops=4, magnitude=7),
    dict(type='RandomResizedCrop', area_range=(0.08, 1.0)),
    _base_.squash,
    dict(type='twlv_mm.RandomErasing', prob=0.25),
    dict(type='FormatShape', input_format='NCTHW'),
]
pack = dict(type='PackActionInputs')
pack_clips = dict(pack, meta_keys=('img_shape', 'num_clips'))  # the attentive head needs num_clips

train_pipeline = [dict(clips, num_clips=1), *augmentation, pack]
val_pipeline = [
    dict(clips, num_clips=1, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    _base_.square,
    dict(type='FormatShape', input_format='NCTHW'),
    pack,
]
test_pipeline = [
    dict(clips, num_clips=2, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    dict(_base_.crops, num_crops=3),
    dict(type='FormatShape', input_format='NCTHW'),
    pack_clips,
]

train_set = dict(
    type='twlv_mm.SegmentDataset',
    ann_file=f'{data_root}/epic_kitchens100_train_list_verb.txt',
    data_prefix=dict(video=f'{data_root}/videos'),
)
val_set = dict(
    type='twlv_mm.SegmentDataset',
    ann_file=f'{data_root}/epic_kitchens100_val_list_verb.txt',
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
# One segment is 6 views.
test_dataloader = dict(val_dataloader, batch_size=4, dataset=dict(pipeline=test_pipeline, **val_set))
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy',))
test_evaluator = [val_evaluator, dict(type='twlv_mm.ClassMetric')]  # per class, their mean, and who is taken for whom
