# The small encoder trained on appearance, from scratch or from encoder_weights (work_dirs/small/encoder.pth).
_base_ = [
    '../_base_/datasets/synthetic_trimmed.py',
    '../_base_/schedules/synthetic_8e.py',
    '../_base_/runtime.py',
]

model = dict(
    type='Recognizer3D',
    data_preprocessor=_base_.preprocessor,
    backbone=dict(_base_.backbone, frozen=False),
    cls_head=dict(
        type='I3DHead',
        num_classes=8,
        in_channels=_base_.spec.embed_dims,
        init_std=0.02,
        dropout_ratio=0.0,
        average_clips='prob',
    ),
)
# For DistributedDataParallel: heads on the feature map leave projections and other poolings of the encoder unused.
find_unused_parameters = True
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    checkpoint=dict(save_best=None, interval=1, max_keep_ckpts=1),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_finetune',
        dataset='synthetic_appearance',
    ),
)
