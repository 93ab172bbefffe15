# THUMOS14 as embeddings of clips (docs/localization.md): trained on 200 validation videos, tested on 212 others.
_base_ = '../encoder.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

ann_file = 'data/thumos14/thumos14.json'
data_root = embeddings_folder('thumos14', _base_.spec)
clip_seconds, stride_seconds = 0.5, 0.125  # T and T_s: paper Table 7

videos = dict(
    type='twlv_mm.LocalizationDataset', ann_file=ann_file, clip_seconds=clip_seconds, stride_seconds=stride_seconds
)
pack = dict(type='twlv_mm.PackLocalization')
train_dataloader = dict(
    batch_size=2,  # and crops to 2304 steps: Table 7; ratio and overlap: ActionFormer
    num_workers=2,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        videos,
        folder=f'{data_root}/multi-clip/train',
        subset='Validation',
        pipeline=[dict(type='twlv_mm.CropFeatures', max_length=2304, crop_ratio=(0.9, 1.0), min_overlap=0.5), pack],
    ),
)
test_dataloader = dict(
    batch_size=8,  # does not affect the result
    num_workers=2,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(videos, folder=f'{data_root}/multi-clip/val', subset='Test', pipeline=[pack], test_mode=True),
)
test_evaluator = dict(
    type='twlv_mm.LocalizationMAP', ann_file=ann_file, subset='Test', iou_thresholds=[0.3, 0.4, 0.5, 0.6, 0.7]
)
