# Temporal action segmentation on your own videos, from files to scores in one command: missing embeddings are
# extracted first, then a small ASFormer is trained. docs/own_data.md shows how to use it.
_base_ = [
    '../_base_/models/asformer.py',
    '../_base_/schedules/asformer_120e.py',
    '../_base_/runtime.py',
    '../_base_/small_encoder.py',
]

from twlv_mm.encoders import embeddings_folder  # noqa: E402
from twlv_mm.records import classes_of  # noqa: E402
from twlv_mm.segmentation.labels import read_mapping  # noqa: E402

data_root = 'data/own'  # mapping.txt, groundTruth/ and splits/
video_root = f'{data_root}/videos'
fps = 25  # of the labels in groundTruth/
num_folds = 1  # splits/{train,test}.split1.bundle, ...
dataset_name = data_root.rstrip('/').split('/')[-1]
clip_seconds, stride_seconds = 2.0, 0.5
subsampling = 4  # the model sees every fourth label
embeddings = None  # folder; by default one in data_root named after the encoder
max_epochs, lr, channels = 30, 1e-3, 64

num_classes = len(classes_of(data_root, data_root, read_mapping))
folds = list(range(1, num_folds + 1))
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
    num_classes=num_classes,
    in_channels=_base_.spec.embedding_dims,
    channels=channels,  # paper: 256
    num_layers=6,
    num_decoders=2,
    channel_masking=0.1,
)
videos = dict(
    type='twlv_mm.SegmentationDataset',
    data_root=data_root,
    folder=f'{embeddings_root}/multi-clip/all',
    fold=1,
    fps=fps,
    pipeline=[
        dict(type='twlv_mm.AlignFeatures', alignment='time', subsampling=subsampling),
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
optim_wrapper = dict(optimizer=dict(lr=lr, weight_decay=1e-5))
train_cfg = dict(val_interval=max_epochs)  # validation, which is the test, after the last epoch
val_cfg = dict(type='ValLoop')
val_dataloader, val_evaluator = test_dataloader, test_evaluator
default_hooks = dict(
    checkpoint=dict(interval=max(1, max_epochs // 3), save_best=None, max_keep_ckpts=1, save_param_scheduler=False),
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    visualization=dict(type='twlv_mm.SegmentationVisualizationHook', videos=video_root),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='segmentation',
        dataset=dataset_name,
    ),
)
