# AVA v2.2 as video files: data/ava/, see tools/data/ava/README.md.
# Assumed (not in the paper): clips of 2.1 s around the keyframe; the short side at the encoder's resolution,
# with the aspect ratio of the film; random flips, scales and colours in training; 8 clips per batch and device.
_base_ = '../encoder.py'

data_root = 'data/ava'
annotations = f'{data_root}/annotations'
label_file = f'{annotations}/ava_action_list_v2.2_for_activitynet_2019.pbtxt'  # 60 of 80 actions; columns are ids
clip_seconds, short_side = 2.1, _base_.spec.img_size
keyframe = dict(type='twlv_mm.SampleKeyframeClip', clip_len=_base_.spec.num_frames, seconds=clip_seconds)
scales = (round(short_side * 192 / 224), round(short_side * 256 / 224))

train_pipeline = [
    keyframe,
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='RandomRescale', scale_range=scales, interpolation=_base_.interpolation),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05),
    dict(type='FormatShape', input_format='NCTHW', collapse=True),
    dict(type='twlv_mm.PackDetection'),
]
test_pipeline = [
    keyframe,
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='Resize', scale=(-1, short_side), interpolation=_base_.interpolation),
    dict(type='FormatShape', input_format='NCTHW', collapse=True),
    dict(type='twlv_mm.PackDetection'),
]

keyframes = dict(
    type='twlv_mm.AVAVideoDataset',
    label_file=label_file,
    data_prefix=dict(img=f'{data_root}/videos'),
    offset_seconds=900,  # files start at minute 15 of the film; 0 for whole films
)
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        keyframes,
        ann_file=f'{annotations}/ava_train_v2.2.csv',
        exclude_file=f'{annotations}/ava_train_excluded_timestamps_v2.2.csv',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        keyframes,
        ann_file=f'{annotations}/ava_val_v2.2.csv',
        exclude_file=f'{annotations}/ava_val_excluded_timestamps_v2.2.csv',
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='twlv_mm.FrameMAP',
    ann_file=f'{annotations}/ava_val_v2.2.csv',
    exclude_file=f'{annotations}/ava_val_excluded_timestamps_v2.2.csv',
    label_file=label_file,
)
test_evaluator = val_evaluator
# With given boxes: dataset.proposal_file of training and test.
train_proposals = f'{annotations}/ava_dense_proposals_train.FAIR.recall_93.9.pkl'
val_proposals = f'{annotations}/ava_dense_proposals_val.FAIR.recall_93.9.pkl'
