# EPIC-KITCHENS-100 as segments of long videos: data/epic_kitchens100/, prepared by
# tools/data/epic_kitchens100/prepare.py. Paper Table 4: 16 frames with stride 1, flips, 4 clips x 3 crops in tests.
# Assumed (not in the paper): verbs are the classes, and the stride refers to 30 fps, so that a clip has 16/30 s
# whatever the frame rate of its video (50 or 60).
_base_ = '../encoder.py'

data_root = 'data/epic_kitchens100'

frames, clip_seconds = _base_.spec.num_frames, 16 / 30
clips = dict(type='twlv_mm.SegmentSample', num_frames=frames, clip_seconds=clip_seconds)
decode, shape = dict(type='twlv_mm.DecodeVideo'), dict(type='FormatShape', input_format='NCTHW')
cut = dict(type='RandomResizedCrop', area_range=(0.3, 1.0), aspect_ratio_range=(0.75, 1.33))
attentive_cut = dict(cut, aspect_ratio_range=(0.5, 2.0))
flip, pack = dict(type='Flip', flip_ratio=0.5), dict(type='PackActionInputs')
pack_segment = dict(pack, meta_keys=('img_shape', 'video_id', 'start', 'end'))  # for twlv errors

one_clip = [dict(clips, num_clips=1), decode]
train_pipeline = [*one_clip, cut, _base_.squash, flip, shape, pack]
attentive_pipeline = [*one_clip, attentive_cut, _base_.squash, flip, shape, pack]
val_pipeline = [dict(clips, num_clips=1, test_mode=True), decode, _base_.square, shape, pack]
test_pipeline = [dict(clips, num_clips=4, test_mode=True), decode, dict(_base_.crops, num_crops=3), shape, pack_segment]

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
# 12 views per segment.
test_dataloader = dict(val_dataloader, batch_size=2, dataset=dict(pipeline=test_pipeline, **val_set))
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy',))
test_evaluator = [
    val_evaluator,
    dict(type='twlv_mm.ClassMetric'),
]  # per class, mean over classes, confusion matrix
