# ActivityNet-1.3 as embeddings of clips (docs/localization.md), every video resized to 192 steps.
_base_ = '../encoder.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

ann_file = 'data/activitynet/activity_net.v1-3.min.json'
data_root = embeddings_folder('activitynet', _base_.spec)
clip_seconds, stride_seconds = 0.5, 0.25  # T and T_s: paper Table 7

videos = dict(
    type='twlv_mm.LocalizationDataset', ann_file=ann_file, clip_seconds=clip_seconds, stride_seconds=stride_seconds
)
resize = dict(type='twlv_mm.ResizeFeatures', length=192)  # Table 7
# As TWLV-I's code: in training 90 to 100 % of that, with actions of which at least a thousandth is inside.
crop = dict(type='twlv_mm.CropFeatures', max_length=192, crop_ratio=(0.9, 1.0), min_overlap=0.001)
pack = dict(type='twlv_mm.PackLocalization')
train_dataloader = dict(
    batch_size=16,  # Table 7
    num_workers=4,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(videos, folder=f'{data_root}/multi-clip/train', subset='training', pipeline=[resize, crop, pack]),
)
test_dataloader = dict(
    batch_size=16,  # does not affect the result
    num_workers=4,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        videos, folder=f'{data_root}/multi-clip/val', subset='validation', pipeline=[resize, pack], test_mode=True
    ),
)
test_evaluator = dict(
    type='twlv_mm.LocalizationMAP',
    ann_file=ann_file,
    subset='validation',
    iou_thresholds=[0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95],
)
