# ASFormer for temporal action segmentation (paper 2.6): 12.9 M parameters on embeddings of 1,024 numbers. The
# config sets in_channels, which depends on the encoder.
model = dict(
    type='twlv_mm.ASFormer',
    num_classes=11,
    channels=256,
    num_layers=8,  # per stage; dilation and window of layer i are 2^i steps
    num_decoders=3,
    window='sliding',
    reduction=2,  # r1
    value_reduction=2,  # r2
    channel_masking=0.3,
    smoothing=0.15,
)
