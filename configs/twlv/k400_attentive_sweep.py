# Attentive probes on Kinetics-400 with V-JEPA 2's 20 settings, trained together on one pass of the frozen encoder. The
# best is chosen on a held-out tenth of the training videos, not on the test set.
_base_ = './k400_attentive_vjepa.py'

# One crop; as many segments as in training.
heldout_pipeline = [
    _base_.open_video,
    dict(_base_.clips, test_mode=True),
    *_base_.one_view,
    _base_.pack_clips,
]
split = dict(type='twlv_mm.SplitDataset', of='twlv_mm.VideoListDataset', share=0.1, seed=0)
model = dict(
    cls_head=dict(
        _delete_=True,
        type='twlv_mm.ProbeSweepHead',
        num_classes=400,
        in_channels=_base_.spec.embed_dims,
        num_heads=_base_.spec.num_heads,
        lrs=(5e-3, 3e-3, 1e-3, 3e-4, 1e-4),
        weight_decays=(0.01, 0.1, 0.4, 0.8),
    )
)
train_dataloader = dict(dataset=dict(part='training', **split))
val_dataloader = dict(
    batch_size=4,
    dataset=dict(
        part='held-out',
        ann_file={{_base_.train_dataloader.dataset.ann_file}},
        data_prefix={{_base_.train_dataloader.dataset.data_prefix}},
        pipeline=heldout_pipeline,
        **split,
    ),
)
val_evaluator = dict(_delete_=True, type='twlv_mm.HeldOutMetric')
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    constructor='twlv_mm.ProbeSweepConstructor',
    optimizer=dict(type='AdamW'),  # lr and weight_decay: see the head
    clip_grad=dict(max_norm=1.0),  # for each probe separately
)
default_hooks = dict(
    choose=dict(type='twlv_mm.ChooseProbeHook'),
    checkpoint=dict(save_best=None, max_keep_ckpts=1),  # 20 probes and their optimizer states
)
