# ImageNet-1K as still videos (paper 2.3): data/imagenet1k/, prepared by tools/data/imagenet1k/prepare.py.
# An image is repeated as often as a clip has frames. Training follows paper Table 4, which has no views for
# ImageNet: tests take one centre crop of 224 out of 256, like V-JEPA.
_base_ = '../encoder.py'

data_root = 'data/imagenet1k'

frames, size = _base_.spec.num_frames, _base_.spec.img_size
cut = dict(type='RandomResizedCrop', area_range=(0.3, 1.0), aspect_ratio_range=(0.75, 1.33))
attentive_cut = dict(cut, aspect_ratio_range=(0.5, 2.0))
still = [
    _base_.squash,
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='twlv_mm.StillVideo', num_frames=frames),
    dict(type='PackActionInputs'),
]
train_pipeline = [dict(type='twlv_mm.ImageDecode'), cut, *still]
attentive_pipeline = [dict(type='twlv_mm.ImageDecode'), attentive_cut, *still]
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
test_evaluator = [
    val_evaluator,
    dict(type='twlv_mm.ClassMetric'),
]  # per class, mean over classes, confusion matrix
