# Temporal action segmentation of generated videos of one to three minutes, from the video files: the small encoder
# embeds clips, and ASFormer is trained on them. `make small` trains the encoder, and
#   python tools/make_synthetic.py untrimmed --num-untrimmed 80 --out work_dirs/synthetic_80
# renders the videos. Set the encoder with --cfg-options encoder_weights=work_dirs/small/encoder.pth (default: random
# weights).
_base_ = [
    '../_base_/models/asformer.py',
    '../_base_/schedules/asformer_120e.py',
    '../_base_/runtime.py',
    '../_base_/synthetic_encoder.py',
]

from twlv_mm.encoders import embeddings_folder  # noqa: E402

data_root = '{{$SYNTHETIC:work_dirs/synthetic_80}}/untrimmed'
embeddings = embeddings_folder('untrimmed', _base_.spec, 'work_dirs/synthetic_80/embeddings')
folds = [1, 2]  # train on one half and test on the other, and vice versa

extraction = dict(
    encoder=_base_.extractor,
    sampling='multi-clip',
    clip_seconds=2.0,  # 16 frames at 8 fps, as in the training of the encoder
    stride_seconds=0.25,
    batch_size=32,
    splits=dict(train=f'{data_root}/videos/train', test=f'{data_root}/videos/test'),
    out=embeddings,
)
model = dict(num_classes=9, in_channels=_base_.spec.embedding_dims, channels=64, num_layers=7, channel_masking=0.1)
videos = dict(
    type='twlv_mm.SegmentationDataset',
    data_root=data_root,
    folder=f'{embeddings}/multi-clip',
    fold=1,
    fps=8,
    pipeline=[
        dict(type='twlv_mm.AlignFeatures', alignment='time', subsampling=2),
        dict(type='twlv_mm.PackSegmentation'),
    ],
)
train_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(videos, split='train'),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(videos, split='test', test_mode=True),
)
test_evaluator = dict(type='twlv_mm.SegmentationMetric')
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=1e-5))
max_epochs = 30
train_cfg = dict(val_interval=max_epochs)  # validation, which is the test, after the last epoch
val_cfg = dict(type='ValLoop')
val_dataloader, val_evaluator = test_dataloader, test_evaluator
default_hooks = dict(
    checkpoint=dict(interval=10, save_best=None, max_keep_ckpts=2, save_param_scheduler=False),
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    visualization=dict(type='twlv_mm.SegmentationVisualizationHook', videos=f'{data_root}/videos'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='segmentation',
        dataset='synthetic_untrimmed',
    ),
)
