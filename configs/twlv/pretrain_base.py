# Pretraining of TWLV-I, ViT-B, from scratch (paper 2.1, Table 1). masked_pretrainer.py says what is assumed. Set the
# weights of the image teacher with --cfg-options model.teachers.image.weights=PATH.
_base_ = [
    '../_base_/datasets/pretrain_images_videos.py',
    '../_base_/models/masked_pretrainer.py',
    '../_base_/schedules/pretrain_90k.py',
    '../_base_/pretrain_runtime.py',
]

from twlv_mm.encoders.spec import probe_heads  # noqa: E402

model = dict(
    data_preprocessor=_base_.preprocessor,
    backbone=dict(_base_.backbone, frozen=False),
    predictor=dict(num_heads=probe_heads(384, _base_.spec.num_heads)),
)
default_hooks = dict(momentum=dict(type='twlv_mm.MomentumScheduleHook'))  # 0.998 to 1, as in V-JEPA
