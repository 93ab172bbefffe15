# Generated videos with boxes, in AVA's formats (docs/synthetic.md).
data_root = 'work_dirs/synthetic/boxes'
label_file = f'{data_root}/ava_action_list.pbtxt'

pipeline = [
    dict(type='twlv_mm.SampleKeyframeClip', clip_len=16, seconds=2.0),  # as the small encoder was trained
    dict(type='twlv_mm.SeekDecode'),
    dict(type='FormatShape', input_format='NCTHW', collapse=True),
    dict(type='twlv_mm.PackDetection'),
]
keyframes = dict(
    type='twlv_mm.AVAVideoDataset',
    label_file=label_file,
    data_prefix=dict(img=f'{data_root}/videos'),
    offset_seconds=900,
    pipeline=pipeline,
)
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        keyframes,
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
# For boxes from outside: dataset.proposal_file of training and of tests.
train_proposals = f'{data_root}/ava_dense_proposals_train.json'
val_proposals = f'{data_root}/ava_dense_proposals_test.json'
