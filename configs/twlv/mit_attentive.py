# Attentive probe on Moments in Time (paper 2.2.2, Tables 4 and 5): frozen encoder,
# V-JEPA's probe on the tokens of a clip.
_base_ = [
    '../_base_/datasets/mit_video.py',
    '../_base_/schedules/attentive_probe.py',
    '../_base_/runtime.py',
]

model = dict(
    type='twlv_mm.ProbeRecognizer',
    features='tokens',
    data_preprocessor=_base_.preprocessor,
    backbone=_base_.backbone,
    cls_head=dict(
        type='twlv_mm.AttentiveHead',
        num_classes=339,  # first version, see docs/datasets.md; second: 305
        in_channels=_base_.spec.embed_dims,
        num_heads=_base_.spec.num_heads,
        across_clips=False,  # probabilities averaged over the views (paper 2.2); one clip in training (Table 4)
    ),
)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=dict(pipeline=_base_.attentive_pipeline))
default_hooks = dict(
    labels=dict(type='twlv_mm.CheckLabelsHook'),  # before the first step
    results=dict(
        type='twlv_mm.ResultsHook',  # writes results.json
        task='recognition_attentive',
        dataset='moments_in_time',
    ),
)
