# Linear probe on appearance: frozen small encoder, one linear layer on the mean of its tokens, on live video.
# Set the encoder with --cfg-options encoder_weights=work_dirs/small/encoder.pth (default: random weights).
_base_ = './appearance_finetune.py'

model = dict(
    type='twlv_mm.ProbeRecognizer',
    features='embed',  # pooled by the encoder
    backbone=dict(frozen=True),
    cls_head=dict(spatial_type=None, in_channels=_base_.spec.embedding_dims),
)
max_epochs = 3
optim_wrapper = dict(optimizer=dict(lr=1e-2, weight_decay=0.0))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, convert_to_iter_based=True)]
default_hooks = dict(results=dict(task='recognition_linear'))
