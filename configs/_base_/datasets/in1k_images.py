# ImageNet-1K as still videos (paper 2.3): data/imagenet1k/, prepared by tools/data/imagenet1k/prepare.py.
# An image is repeated as often as a clip has frames. Tested on one centre crop of 224 out of 256 (V-JEPA's ImageNet
# recipe, which the paper follows; its AutoAugment is left out).
_base_ = '../encoder.py'

data_root = 'data/imagenet1k'

frames, size = _base_.spec.num_frames, _base_.spec.img_size
train_pipeline = [
    dict(type='twlv_mm.ImageDecode'),
    dict(type='RandomResizedCrop', area_range=(0.08, 1.0)),
    _base_.squash,
    dict(type='Flip', flip_ratio=0.5),
    dict(type='twlv_mm.RandomErasing', prob=0.25),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='twlv_mm.StillVideo', num_frames=frames),
    dict(type='PackActionInputs'),
]
test_pipeline = [
    dict(type='twlv_mm.ImageDecode'),
    dict(_base_.square, short_side=round(size * 256 / 224)),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='twlv_mm.StillVideo', num_frames=frames),
    dict(type='PackActionInputs'),
]

train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='twlv_mm.VideoListDataset',
        ann_file=f'{data_root}/imagenet1k_train_list_images.txt',
        data_prefix=dict(video=f'{data_root}/images'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=8,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='twlv_mm.VideoListDataset',
        ann_file=f'{data_root}/imagenet1k_val_list_images.txt',
        data_prefix=dict(video=f'{data_root}/images'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy',))
test_evaluator = [val_evaluator, dict(type='twlv_mm.ClassMetric')]  # per class, their mean, and who is taken for whom
