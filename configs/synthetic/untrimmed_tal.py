# Temporal action localization on generated videos of one to three minutes, from the video files: the small encoder
# embeds clips of two seconds, and ActionFormer is trained on them. `make small` trains the encoder, and
#   python tools/make_synthetic.py untrimmed
# renders the videos. Set the encoder with --cfg-options encoder_weights=work_dirs/small/encoder.pth (default: random
# weights).
_base_ = ['../_base_/schedules/actionformer_47e.py', '../_base_/runtime.py', '../_base_/synthetic_encoder.py']

from twlv_mm.encoders import embeddings_folder  # noqa: E402

data_root = '{{$SYNTHETIC:work_dirs/synthetic}}/untrimmed'
embeddings = embeddings_folder('untrimmed', _base_.spec, 'work_dirs/synthetic/embeddings')
ann_file, classes = f'{data_root}/annotations.json', f'{data_root}/classes.txt'

extraction = dict(
    encoder=_base_.extractor,
    sampling='multi-clip',
    clip_seconds=2.0,  # 16 frames at 8 fps, as in the training of the encoder
    stride_seconds=0.25,
    batch_size=32,
    splits=dict(train=f'{data_root}/videos/train', test=f'{data_root}/videos/test'),
    out=embeddings,
)
model = dict(
    type='twlv_mm.ActionFormer',
    num_classes=8,
    in_channels=_base_.spec.embedding_dims,
    channels=64,
    arch=(2, 2, 3),  # actions are two to five seconds long, 8 to 20 steps
    regression_ranges=((0, 4), (4, 8), (8, 16), (16, 10000)),
    window=9,
    test_cfg=dict(nms=dict(sigma=0.5, max_segments=200, per_class=True)),
)
pack = dict(type='twlv_mm.PackLocalization')
videos = dict(type='twlv_mm.LocalizationDataset', ann_file=ann_file, classes=classes)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        videos,
        folder=f'{embeddings}/multi-clip/train',
        subset='Validation',
        pipeline=[dict(type='twlv_mm.CropFeatures', crop_ratio=(0.5, 1.0)), pack],
    ),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(videos, folder=f'{embeddings}/multi-clip/test', subset='Test', pipeline=[pack], test_mode=True),
)
test_evaluator = dict(
    type='twlv_mm.LocalizationMAP',
    ann_file=ann_file,
    classes=classes,
    subset='Test',
    iou_thresholds=[0.3, 0.4, 0.5, 0.6, 0.7],
)
max_epochs = 60
warmup_epochs = max_epochs * 5 / 60
train_cfg = dict(val_interval=max_epochs)  # validation, which is the test, after the last epoch
val_cfg = dict(type='ValLoop')
val_dataloader, val_evaluator = test_dataloader, test_evaluator
optim_wrapper = dict(optimizer=dict(lr=1e-3))
custom_hooks = [dict(type='EMAHook', ema_type='mmengine.MomentumAnnealingEMA', momentum=0.02, gamma=10)]
default_hooks = dict(
    checkpoint=dict(interval=10, save_best=None, max_keep_ckpts=1),
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    visualization=dict(type='twlv_mm.LocalizationVisualizationHook', videos=f'{data_root}/videos/test'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='localization',
        dataset='synthetic_untrimmed',
    ),
)
