# activitynet_tal.py from the video files: missing embeddings are extracted first, with the clips of paper Table 7.
# Set the encoder with --cfg-options encoder_weights=PATH. The last epoch ends with the test, so that tools/train.py
# goes from videos to mAP.
_base_ = './activitynet_tal.py'

extraction = dict(
    encoder=_base_.extractor,
    sampling='multi-clip',
    clip_seconds=_base_.clip_seconds,
    stride_seconds=_base_.stride_seconds,
    splits=dict(train='data/activitynet/videos/training', val='data/activitynet/videos/validation'),
    out=_base_.data_root,
)
train_cfg = dict(val_interval=_base_.max_epochs)
val_cfg = dict(type='ValLoop')
val_dataloader = {{_base_.test_dataloader}}
val_evaluator = {{_base_.test_evaluator}}
