# Attentive probe on ImageNet-1K (paper 2.3): frozen encoder, V-JEPA's probe on the tokens of an image as
# a still video. Otherwise as in1k_linear.py.
_base_ = './in1k_linear.py'

model = dict(
    features='tokens',
    cls_head=dict(
        _delete_=True,
        type='twlv_mm.AttentiveHead',
        num_classes=1000,
        in_channels=_base_.spec.embed_dims,
        num_heads=_base_.spec.num_heads,
    ),
)
default_hooks = dict(results=dict(task='recognition_attentive'))
