# Generated clips of two seconds with an appearance and a motion (tools/make_synthetic.py trimmed).
_base_ = '../synthetic_encoder.py'

data_root = '{{$SYNTHETIC:work_dirs/synthetic}}/trimmed'

frames = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.EmbeddingSample', num_frames=_base_.spec.num_frames, sampling='uniform'),
    dict(type='twlv_mm.DecodeVideo'),
    dict(_base_.square, resize='squash'),
]
pipeline = [
    dict(type='twlv_mm.CachedFrames', transforms=frames),  # decoded once: half the time on two cores
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='twlv_mm.VideoListDataset',
        data_root=data_root,
        ann_file='train_appearance.txt',
        data_prefix=dict(video=''),
        pipeline=pipeline,
    ),
)
test_dataloader = dict(
    batch_size=50,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='twlv_mm.VideoListDataset',
        data_root=data_root,
        ann_file='test_appearance.txt',
        data_prefix=dict(video=''),
        pipeline=pipeline,
        test_mode=True,
    ),
)
accuracy = dict(type='AccMetric', metric_list=('top_k_accuracy',))
test_evaluator = [accuracy, dict(type='twlv_mm.ClassMetric')]
