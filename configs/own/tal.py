# Temporal action localization on your own videos, from files to mAP in one command: missing embeddings are
# extracted first, then a small ActionFormer is trained. docs/own_data.md shows how to use it.
_base_ = ['../_base_/schedules/actionformer_47e.py', '../_base_/runtime.py', '../_base_/small_encoder.py']

from twlv_mm.encoders import embeddings_folder  # noqa: E402
from twlv_mm.records import classes_of  # noqa: E402

data_root = 'data/own'
ann_file = f'{data_root}/annotations.json'
classes = f'{data_root}/classes.txt'
video_root = f'{data_root}/videos'
train_subset, test_subset = 'train', 'val'
dataset_name = data_root.rstrip('/').split('/')[-1]
clip_seconds, stride_seconds = 2.0, 0.5  # a quarter of these for actions of about a second
embeddings = None  # folder; by default one in data_root named after the encoder
max_epochs, batch_size, lr, channels = 60, 2, 1e-3, 64

num_classes = len(classes_of(classes, data_root))
embeddings_root = embeddings or embeddings_folder(dataset_name, _base_.spec, f'{data_root}/embeddings')

extraction = dict(
    encoder=_base_.extractor,
    sampling='multi-clip',
    clip_seconds=clip_seconds,
    stride_seconds=stride_seconds,
    splits=dict(all=video_root),
    out=embeddings_root,
)
model = dict(
    type='twlv_mm.ActionFormer',
    num_classes=num_classes,
    in_channels=_base_.spec.embedding_dims,
    channels=channels,  # THUMOS14: 256, too many for 10 videos
    arch=(2, 2, 4),
    regression_ranges=((0, 4), (4, 8), (8, 16), (16, 32), (32, 10000)),  # in steps, per level
    window=9,
    test_cfg=dict(nms=dict(sigma=0.5, max_segments=200, per_class=True)),
)
pack = dict(type='twlv_mm.PackLocalization')
videos = dict(
    type='twlv_mm.LocalizationDataset', ann_file=ann_file, classes=classes, folder=f'{embeddings_root}/multi-clip/all'
)
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=0,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        videos, subset=train_subset, pipeline=[dict(type='twlv_mm.CropFeatures', crop_ratio=(0.5, 1.0)), pack]
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(videos, subset=test_subset, pipeline=[pack], test_mode=True),
)
test_evaluator = dict(
    type='twlv_mm.LocalizationMAP',
    ann_file=ann_file,
    classes=classes,
    subset=test_subset,
    iou_thresholds=[0.3, 0.4, 0.5, 0.6, 0.7],
)
train_cfg = dict(val_interval=max_epochs)  # validation, which is the test, after the last epoch
val_cfg = dict(type='ValLoop')
val_dataloader, val_evaluator = test_dataloader, test_evaluator
optim_wrapper = dict(optimizer=dict(lr=lr))
custom_hooks = [dict(type='EMAHook', ema_type='mmengine.MomentumAnnealingEMA', momentum=0.02, gamma=10)]
default_hooks = dict(
    checkpoint=dict(interval=max(1, max_epochs // 6), save_best=None, max_keep_ckpts=1),
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    visualization=dict(type='twlv_mm.LocalizationVisualizationHook', videos=video_root),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='localization',
        dataset=dataset_name,
    ),
)
