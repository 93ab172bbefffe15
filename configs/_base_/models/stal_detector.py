# The end-to-end detector of paper 2.5, after Gritsenko et al. 2023, on any encoder. Sizes: paper Table 8.
# Assumed (not in the paper): 64 queries, 8 heads, and the loss weights: DETR's for boxes, and 2 for classes. That
# queries start at anchors on a grid (TubeletHead, FactorisedDecoder) is this project's choice. The config sets what
# depends on the encoder.

model = dict(
    type='twlv_mm.SpatioTemporalDetector',
    decoder=dict(
        type='twlv_mm.FactorisedDecoder',
        num_queries=64,
        num_layers=6,
        embed_dims=256,
        feedforward_channels=2048,
        num_heads=8,
        dropout=0.1,
        drop_path=0.1,
    ),
    head=dict(
        type='twlv_mm.TubeletHead',
        num_classes=81,  # column 0 is no action
        num_queries=64,
        embed_dims=256,
        num_reg_fcs=3,
        loss_cls=dict(type='mmdet.FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=2.0),
        loss_bbox=dict(type='mmdet.L1Loss', loss_weight=5.0),
        loss_iou=dict(type='mmdet.GIoULoss', loss_weight=2.0),
    ),
)
