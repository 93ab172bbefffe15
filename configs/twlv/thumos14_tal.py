# Temporal action localization on THUMOS14 (paper 2.4, Table 9, self-contained): ActionFormer on embeddings of clips.
_base_ = [
    '../_base_/datasets/thumos14_embeddings.py',
    '../_base_/schedules/actionformer_47e.py',
    '../_base_/runtime.py',
]

# ActionFormer's settings for THUMOS14, from TWLV-I's evaluation code.
model = dict(
    type='twlv_mm.ActionFormer',
    num_classes=20,
    in_channels=_base_.spec.embedding_dims,
    channels=256,
    arch=(2, 2, 5),  # convolutions, transformer blocks at full rate, levels that each halve the rate
    window=19,
    drop_path=0.1,
    loss=dict(label_smoothing=0.1, reg_weight=2.0, init_norm=100),
    test_cfg=dict(
        min_score=0.001,
        max_candidates=2000,  # per level
        nms=dict(sigma=0.5, voting_threshold=0.7, max_segments=200, per_class=True),
    ),
)
default_hooks = dict(
    # The last epoch is tested; TWLV-I's code selects an epoch on the test videos.
    checkpoint=dict(save_best=None, max_keep_ckpts=1),
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    visualization=dict(type='twlv_mm.LocalizationVisualizationHook', videos=None),  # folder of videos, to draw frames
    results=dict(
        type='twlv_mm.ResultsHook',
        task='localization',
        dataset='thumos14',
    ),
)
