# Kinetics-400 as video files: data/kinetics400/, list files of "name.mp4 label" lines, as mmaction2 prepares them.
# Clips of 64 frames, 16 with stride 4 say; tested on 8 clips x 3 crops (V-JEPA's K400 recipe, which the paper follows).
_base_ = '../encoder.py'

from twlv_mm.encoders import frame_interval  # noqa: E402

data_root = 'data/kinetics400'

frames = _base_.spec.num_frames
interval = frame_interval(64, frames)
clips = dict(type='twlv_mm.SampleClips', num_frames=frames, frame_interval=interval)
# V-JEPA's recipe: no flip.
augmentation = [
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='twlv_mm.RandAugment', num_ops=4, magnitude=7),
    dict(type='RandomResizedCrop', area_range=(0.08, 1.0)),
    _base_.squash,
    dict(type='twlv_mm.RandomErasing', prob=0.25),
    dict(type='FormatShape', input_format='NCTHW'),
]
one_view = [dict(type='twlv_mm.DecodeVideo'), _base_.square, dict(type='FormatShape', input_format='NCTHW')]
three_views = [
    dict(type='twlv_mm.DecodeVideo'),
    dict(_base_.crops, num_crops=3),
    dict(type='FormatShape', input_format='NCTHW'),
]
pack = dict(type='PackActionInputs')
pack_clips = dict(pack, meta_keys=('img_shape', 'num_clips'))  # the attentive head needs num_clips

train_pipeline = [dict(type='twlv_mm.OpenVideo'), dict(clips, num_clips=1), *augmentation, pack]
val_pipeline = [dict(type='twlv_mm.OpenVideo'), dict(clips, num_clips=1, test_mode=True), *one_view, pack]
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(clips, num_clips=8, test_mode=True),
    *three_views,
    pack_clips,
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
