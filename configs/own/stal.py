# Spatio-temporal action localization on your own videos: a small end-to-end detector on the feature map of the
# encoder. docs/own_data.md shows how to use it.
_base_ = ['../_base_/models/stal_detector.py', '../_base_/runtime.py', '../_base_/small_encoder.py']

from twlv_mm.detection.ava_annotations import read_action_names  # noqa: E402
from twlv_mm.records import classes_of  # noqa: E402

# Boxes have about a third of the frame, as in the generated videos; the small encoder was trained on whole frames.
encoder_defaults = dict(twlv_small_synthetic=dict(weights='official', img_size=64, num_frames=8))

data_root = 'data/own'  # train.csv, val.csv and actions.pbtxt in AVA's format
video_root = f'{data_root}/videos'
label_file = f'{data_root}/actions.pbtxt'
offset_seconds = 0  # time stamp of the start of a file in train.csv and val.csv; 900 for AVA
dataset_name = data_root.rstrip('/').split('/')[-1]
clip_seconds, short_side = 4 / 3, _base_.spec.img_size
frozen = True  # False above about 100 videos
in_memory = True  # frames are decoded in the first epoch only; False above about 500 keyframes
max_epochs, batch_size, lr = 120, 4, 1e-3
warmup_epochs = max_epochs / 20

num_classes = 1 + max(map(int, classes_of(label_file, data_root, read_action_names)))  # column 0 is no action
keyframe = dict(type='twlv_mm.SampleKeyframeClip', clip_len=_base_.spec.num_frames, seconds=clip_seconds)
decode, pack = dict(type='twlv_mm.DecodeVideo'), dict(type='twlv_mm.PackDetection')
shape = dict(type='FormatShape', input_format='NCTHW', collapse=True)
resize = dict(type='Resize', scale=(-1, short_side), interpolation=_base_.interpolation)
frames = [keyframe, decode, resize]
train_pipeline = [
    *([dict(type='twlv_mm.CachedFrames', transforms=frames)] if in_memory else frames),
    # Random crops and scales: with few boxes, detectors memorise positions.
    dict(
        type='RandomRescale',
        scale_range=(short_side, round(short_side * 286 / 224)),
        interpolation=_base_.interpolation,
    ),
    dict(type='RandomCrop', size=short_side),
    # No flips: actions may distinguish left from right.
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2, hue=0.5),
    shape,
    pack,
]
test_pipeline = [*frames, shape, pack]

keyframes = dict(
    type='twlv_mm.AVAVideoDataset',
    label_file=label_file,
    data_prefix=dict(img=video_root),
    offset_seconds=offset_seconds,
)
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=0 if in_memory else 2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(keyframes, ann_file=f'{data_root}/train.csv', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(keyframes, ann_file=f'{data_root}/val.csv', pipeline=test_pipeline, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='twlv_mm.FrameMAP', ann_file=f'{data_root}/val.csv', label_file=label_file)
test_evaluator = val_evaluator

model = dict(
    data_preprocessor=_base_.boxes_preprocessor,
    backbone=dict(_base_.backbone, frozen=frozen),
    decoder=dict(  # a tenth of the paper's size, without dropout
        in_channels=_base_.spec.embed_dims,
        num_frames=_base_.spec.num_frames // _base_.spec.tubelet_size,
        num_queries=16,
        num_layers=3,
        embed_dims=128,
        feedforward_channels=256,
        num_heads=4,
        dropout=0.0,
        drop_path=0.0,
    ),
    head=dict(num_classes=num_classes, num_queries=16, embed_dims=128),
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=max(1, max_epochs // 3))
val_cfg, test_cfg = dict(type='ValLoop'), dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',  # bf16 with --amp
    optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=warmup_epochs, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=warmup_epochs, T_max=max_epochs - warmup_epochs, convert_to_iter_based=True),
]
default_hooks = dict(
    checkpoint=dict(interval=max(1, max_epochs // 3), save_best=None, max_keep_ckpts=1),
    data=dict(type='twlv_mm.CheckAVAHook'),
    visualization=dict(type='twlv_mm.DetectionVisualizationHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='detection',
        dataset=dataset_name,
    ),
)
