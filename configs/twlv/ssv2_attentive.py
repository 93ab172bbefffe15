# Attentive probe on Something-Something v2 (paper 2.2.2, Table 5): frozen encoder, V-JEPA's probe on the tokens
# of all segments of a video. Otherwise as ssv2_linear.py.
_base_ = './ssv2_linear.py'

# As many segments as in the test, one crop: V-JEPA's code.
train_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=2),
    *_base_.augmentation,
    _base_.pack_clips,
]
model = dict(
    features='tokens',
    cls_head=dict(
        _delete_=True,
        type='twlv_mm.AttentiveHead',
        num_classes=174,
        in_channels=_base_.spec.embed_dims,
        num_heads=_base_.spec.num_heads,
    ),
)
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
default_hooks = dict(results=dict(task='recognition_attentive'))
