# gtea_tas.py from the video files: what is not embedded yet is embedded first, in the clips of paper Table 7.
# Give the encoder with --cfg-options encoder_weights=PATH.
_base_ = './gtea_tas.py'

extraction = dict(
    encoder=_base_.extractor,
    sampling='multi-clip',
    clip_seconds=0.5,  # T
    stride_seconds=0.125,  # T_s
    splits=dict(train='data/gtea/videos'),
    out=_base_.embeddings,
)
