# TWLV-I as an mmaction2 backbone, fine-tuned on Kinetics-400 by VideoMAE's recipe; not in the paper. Training
# starts from encoder_weights, or from scratch.
_base_ = [
    '../_base_/datasets/k400_video.py',
    '../_base_/schedules/finetune_100e.py',
    '../_base_/runtime.py',
]

from twlv_mm.encoders import ARCHITECTURES  # noqa: E402

num_classes = 400
blending = dict(
    type='RandomBatchAugment',
    augments=[
        dict(type='MixupBlending', alpha=0.8, num_classes=num_classes),
        dict(type='CutmixBlending', alpha=1.0, num_classes=num_classes),
    ],
    probs=[0.5, 0.5],
)
model = dict(
    type='Recognizer3D',
    data_preprocessor=dict(_base_.preprocessor, blending=blending),
    backbone=dict(_base_.backbone, frozen=False, drop_path_rate=0.1),
    cls_head=dict(
        type='I3DHead',  # mean over time and space, then a linear layer
        num_classes=num_classes,
        in_channels=_base_.spec.embed_dims,
        dropout_ratio=0.0,
        init_std=2e-5,  # a thousandth of the usual, against large initial gradients
        label_smooth_eps=0.1,
        average_clips='prob',
    ),
)
train_pipeline = [
    *_base_.one_clip,
    _base_.decode,
    dict(type='twlv_mm.RandAugment', num_ops=4, magnitude=7),
    dict(type='RandomResizedCrop', area_range=(0.08, 1.0)),
    _base_.squash,
    _base_.flip,
    dict(type='twlv_mm.RandomErasing', prob=0.25),
    _base_.shape,
    _base_.pack,
]
test_pipeline = [
    _base_.open_video,
    dict(_base_.clips, num_clips=5, test_mode=True),
    *_base_.three_views,
    _base_.pack,
]
# Only for vision transformers of the model table: mmaction2's constructor rejects others.
depth = _base_.encoder_overrides.get('depth') or getattr(ARCHITECTURES.get(_base_.encoder), 'depth', None)
del ARCHITECTURES  # not a part of the config that a run writes
optim_wrapper = dict(paramwise_cfg=dict(num_layers=depth))
train_dataloader = dict(batch_size=_base_.batch_size, drop_last=True, dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    results=dict(
        type='twlv_mm.ResultsHook',  # writes results.json
        task='recognition_finetune',
        dataset='kinetics400',
    ),
)
