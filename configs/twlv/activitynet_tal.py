# Temporal action localization on ActivityNet-1.3 (paper 2.4, Table 10, self-contained): ActionFormer on embeddings of
# clips.
_base_ = [
    '../_base_/datasets/activitynet_embeddings.py',
    '../_base_/schedules/actionformer_47e.py',
    '../_base_/runtime.py',
]

# ActionFormer's settings for ActivityNet, from TWLV-I's evaluation code; the length is from paper Table 7.
model = dict(
    type='twlv_mm.ActionFormer',
    num_classes=200,
    in_channels=_base_.spec.embedding_dims,
    channels=256,
    arch=(2, 2, 5),  # convolutions, transformer blocks at full rate, levels that each halve the rate
    window=[7, 7, 7, 7, 7, -1],  # -1: all steps
    max_length=192,
    drop_path=0.1,
    loss=dict(label_smoothing=0.1, reg_weight=2.0, init_norm=200),
    test_cfg=dict(
        min_score=0.001,
        max_candidates=2000,  # per level
        nms=dict(sigma=0.75, voting_threshold=0.9, max_segments=100, per_class=True),
    ),
)
# Table 7: 10 epochs after 2 of warm-up (TWLV-I's code: 5). The rate is from that code, see the schedule.
max_epochs = 12
warmup_epochs = max_epochs * 2 / 12
optim_wrapper = dict(optimizer=dict(lr=1e-3))
default_hooks = dict(
    # The last epoch is tested; TWLV-I's code selects an epoch on the test videos.
    checkpoint=dict(save_best=None, max_keep_ckpts=1),
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    visualization=dict(type='twlv_mm.LocalizationVisualizationHook', videos=None),  # folder of videos, to draw frames
    results=dict(
        type='twlv_mm.ResultsHook',
        task='localization',
        dataset='activitynet',
    ),
)
