# gtea_tas.py from the video files: missing embeddings are extracted first, with the clips of paper Table 7.
# Set the encoder with --cfg-options encoder_weights=PATH.
_base_ = './gtea_tas.py'

extraction = dict(
    encoder=_base_.extractor,
    sampling='multi-clip',
    clip_seconds=_base_.clip_seconds,
    stride_seconds=_base_.stride_seconds,
    splits=dict(train='data/gtea/videos'),
    out=_base_.embeddings,
)
