# The end-to-end detector of paper 2.5, after Gritsenko et al. 2023, on any encoder. Sizes: paper Table 8.
# Assumed, the paper does not say: 64 queries, 8 heads, and the losses' weights, which are DETR's for boxes, and 2 for
# classes. Queries begin at anchors on a grid (TubeletHead,
# FactorisedDecoder), which is ours. What depends on the encoder is left to the config.

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
        num_classes=81,  # the first is none
        num_queries=64,
        embed_dims=256,
        num_reg_fcs=3,
        loss_cls=dict(type='mmdet.FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=2.0),
        loss_bbox=dict(type='mmdet.L1Loss', loss_weight=5.0),
        loss_iou=dict(type='mmdet.GIoULoss', loss_weight=2.0),
    ),
)
