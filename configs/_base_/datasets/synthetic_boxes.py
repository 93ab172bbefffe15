# Generated videos with boxes, in AVA's formats (docs/synthetic.md).
_base_ = '../synthetic_encoder.py'

data_root = '{{$SYNTHETIC:work_dirs/synthetic}}/boxes'
label_file = f'{data_root}/ava_action_list.pbtxt'

# The small encoder takes 64 of 96 pixels, so that shapes have the size of its training, and 8 frames at about the frame
# rate of its training: 2 x 8 x 8 tokens cost less than a fifth of 4 x 12 x 12, and a shorter clip has fewer motions
# other than the keyframe's.
encoder_defaults = dict(twlv_small_synthetic=dict(img_size=64, num_frames=8))

frames = [
    dict(type='twlv_mm.SampleKeyframeClip', clip_len=_base_.spec.num_frames, seconds=4 / 3),
    dict(type='twlv_mm.DecodeVideo'),
    _base_.squash,
]
pack = [dict(type='FormatShape', input_format='NCTHW', collapse=True), dict(type='twlv_mm.PackDetection')]
train_pipeline = [
    dict(type='twlv_mm.CachedFrames', transforms=frames),  # decoded in the first epoch only
    # The shapes of the test videos have other hues.
    dict(type='ColorJitter', brightness=0.0, contrast=0.0, saturation=0.0, hue=0.5),
    *pack,
]
keyframes = dict(
    type='twlv_mm.AVAVideoDataset',
    label_file=label_file,
    data_prefix=dict(img=f'{data_root}/videos'),
    offset_seconds=900,
)
train_dataloader = dict(
    batch_size=16,
    num_workers=0,  # the cache is per process
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        keyframes,
        pipeline=train_pipeline,
        ann_file=f'{data_root}/ava_train.csv',
        exclude_file=f'{data_root}/ava_train_excluded_timestamps.csv',
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        keyframes,
        pipeline=[*frames, *pack],
        ann_file=f'{data_root}/ava_test.csv',
        exclude_file=f'{data_root}/ava_test_excluded_timestamps.csv',
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='twlv_mm.FrameMAP',
    ann_file=f'{data_root}/ava_test.csv',
    exclude_file=f'{data_root}/ava_test_excluded_timestamps.csv',
    label_file=label_file,
)
test_evaluator = val_evaluator
# With given boxes: dataset.proposal_file of training and test.
train_proposals = f'{data_root}/ava_dense_proposals_train.json'
val_proposals = f'{data_root}/ava_dense_proposals_test.json'
