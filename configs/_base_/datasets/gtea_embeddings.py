# GTEA as embeddings of clips (docs/segmentation.md): 28 videos in 4 folds, labels for each frame.
_base_ = '../encoder.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

embeddings = embeddings_folder('gtea', _base_.spec)
clip_seconds, stride_seconds = 0.5, 0.125  # T and T_s: paper Table 7

videos = dict(
    type='twlv_mm.SegmentationDataset',
    data_root='data/gtea',  # groundTruth, mapping.txt, splits
    folder=f'{embeddings}/multi-clip/train',  # videos of all folds
    fold=1,
    fps=15,  # of the labels
    clip_seconds=clip_seconds,
    stride_seconds=stride_seconds,
    # As published; alignment='time' would place each clip at its time.
    pipeline=[
        dict(type='twlv_mm.AlignFeatures', alignment='stretch', subsampling=1),
        dict(type='twlv_mm.PackSegmentation'),
    ],
)
train_dataloader = dict(
    batch_size=1,
    num_workers=0,  # reading a video takes a hundredth of a step
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
# The second reproduces the scores of TWLV-I's code, including its errors.
test_evaluator = [
    dict(type='twlv_mm.SegmentationMetric'),
    dict(type='twlv_mm.SegmentationMetric', published=True, prefix='published'),
]
