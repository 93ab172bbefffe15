# Attentive probe on appearance: frozen small encoder, a query attends to its tokens, on live video.
# Set the encoder with --cfg-options encoder_weights=work_dirs/small/encoder.pth (default: random weights).
_base_ = './appearance_linear.py'

model = dict(
    features='tokens',
    cls_head=dict(
        _delete_=True,
        type='twlv_mm.AttentiveHead',
        num_classes=8,
        in_channels=_base_.spec.embed_dims,
        num_heads=_base_.spec.num_heads,
    ),
)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3, weight_decay=0.01), paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0)
)
default_hooks = dict(results=dict(task='recognition_attentive'))
