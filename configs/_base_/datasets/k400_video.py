# Kinetics-400 as video files: data/kinetics400/, lists of "name.mp4 label" lines, as prepared by mmaction2.
# Paper Table 4: a clip of 16 frames with stride 4 (64 frames of the video for any encoder), random crops and
# flips; in tests, 4 clips x 3 crops. The paper has no other augmentation.
_base_ = '../encoder.py'

from twlv_mm.encoders import frame_interval  # noqa: E402

data_root = 'data/kinetics400'

frames = _base_.spec.num_frames
interval = frame_interval(64, frames)
clips = dict(type='twlv_mm.SampleClips', num_frames=frames, frame_interval=interval)
open_video, decode = dict(type='twlv_mm.OpenVideo'), dict(type='twlv_mm.DecodeVideo')
cut = dict(type='RandomResizedCrop', area_range=(0.3, 1.0), aspect_ratio_range=(0.75, 1.33))
attentive_cut = dict(cut, aspect_ratio_range=(0.5, 2.0))
flip, shape = dict(type='Flip', flip_ratio=0.5), dict(type='FormatShape', input_format='NCTHW')
# V-JEPA's augmentation, for *_vjepa.py.
vjepa_augmentation = [
    dict(type='twlv_mm.RandAugment', num_ops=4, magnitude=7),
    dict(type='RandomResizedCrop', area_range=(0.08, 1.0)),
    _base_.squash,
    dict(type='twlv_mm.RandomErasing', prob=0.25),
    shape,
]
one_view, three_views = [decode, _base_.square, shape], [decode, dict(_base_.crops, num_crops=3), shape]
pack = dict(type='PackActionInputs')
# For V-JEPA's probe, which attends across clips, and for twlv errors.
pack_clips = dict(pack, meta_keys=('img_shape', 'num_clips', 'video_id'))

one_clip = [open_video, dict(clips, num_clips=1)]
augmentation = [decode, cut, _base_.squash, flip, shape]
train_pipeline = [*one_clip, *augmentation, pack]
attentive_pipeline = [*one_clip, decode, attentive_cut, _base_.squash, flip, shape, pack]
val_pipeline = [open_video, dict(clips, num_clips=1, test_mode=True), *one_view, pack]
test_pipeline = [open_video, dict(clips, num_clips=4, test_mode=True), *three_views, pack_clips]

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
# 12 views per video.
test_dataloader = dict(val_dataloader, batch_size=1, dataset=dict(pipeline=test_pipeline, **val_set))
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy',))
test_evaluator = [
    val_evaluator,
    dict(type='twlv_mm.ClassMetric'),
]  # per class, mean over classes, confusion matrix
