# 50Salads as embeddings of clips (docs/segmentation.md): 50 videos in 5 folds, every second label.
_base_ = './gtea_embeddings.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

embeddings = embeddings_folder('50salads', _base_.spec)
clip_seconds, stride_seconds = 1.0, 0.25  # T and T_s: paper Table 7
videos = dict(
    data_root='data/50salads',
    folder=f'{embeddings}/multi-clip/train',
    fps=30,
    clip_seconds=clip_seconds,
    stride_seconds=stride_seconds,
    pipeline=[
        dict(type='twlv_mm.AlignFeatures', alignment='stretch', subsampling=2),
        dict(type='twlv_mm.PackSegmentation'),
    ],
)
train_dataloader = dict(dataset=videos)
test_dataloader = dict(dataset=videos)
