# Actions in given person boxes (not in the paper): RoIAlign and one linear layer, on any encoder. Numbers are those
# that mmaction2's configs detection/{slowfast,videomae}/* on AVA share. The config sets what depends on the encoder.
model = dict(
    type='twlv_mm.ROIDetector',
    _scope_='mmdet',  # mmaction2 registers AVARoIHead and its parts there
    roi_head=dict(
        type='AVARoIHead',
        bbox_roi_extractor=dict(
            type='SingleRoIExtractor3D',
            roi_layer_type='RoIAlign',
            output_size=8,
            with_temporal_pool=True,
        ),
        bbox_head=dict(
            type='BBoxHeadAVA',
            background_class=True,  # column 0 is no action
            num_classes=81,
            multilabel=True,
            dropout_ratio=0.5,
        ),
    ),
    train_cfg=dict(
        rcnn=dict(
            assigner=dict(type='MaxIoUAssignerAVA', pos_iou_thr=0.9, neg_iou_thr=0.9, min_pos_iou=0.9),
            sampler=dict(type='RandomSampler', num=32, pos_fraction=1, neg_pos_ub=-1, add_gt_as_proposals=True),
            pos_weight=1.0,
        )
    ),
    test_cfg=dict(rcnn=None),
)
