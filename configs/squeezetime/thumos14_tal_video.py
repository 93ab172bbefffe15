# thumos14_tal.py from the video files: missing embeddings are extracted first. Set the encoder, trained on
# Kinetics-400, with --cfg-options encoder_weights=PATH.
_base_ = './thumos14_tal.py'

extraction = dict(
    encoder=_base_.extractor,
    sampling='multi-clip',
    clip_seconds=_base_.clip_seconds,
    stride_seconds=_base_.stride_seconds,
    splits=dict(train='data/thumos14/videos/validation', val='data/thumos14/videos/test'),
    out=_base_.data_root,
)
train_cfg = dict(val_interval=_base_.max_epochs)
val_cfg = dict(type='ValLoop')
val_dataloader = {{_base_.test_dataloader}}
val_evaluator = {{_base_.test_evaluator}}
