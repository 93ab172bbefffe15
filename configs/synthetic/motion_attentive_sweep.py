# Attentive and linear probes on motion, with six settings each, trained together on one pass of the frozen encoder;
# the best is chosen on a tenth of the training videos. Otherwise like motion_attentive.py.
_base_ = './motion_attentive.py'

split = dict(type='twlv_mm.SplitDataset', of='mmaction.VideoDataset', share=0.1, seed=0)
model = dict(
    cls_head=dict(
        type='twlv_mm.ProbeSweepHead',
        kinds=('attentive', 'linear'),
        lrs=(1e-2, 3e-3, 1e-3),
        weight_decays=(0.01, 0.4),
    )
)
train_dataloader = dict(dataset=dict(part='training', **split))
val_dataloader = dict(
    batch_size=50,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        part='held-out',
        data_root={{_base_.train_dataloader.dataset.data_root}},
        ann_file={{_base_.train_dataloader.dataset.ann_file}},
        data_prefix=dict(video=''),
        pipeline={{_base_.train_dataloader.dataset.pipeline}},
        test_mode=True,
        **split,
    ),
)
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='twlv_mm.HeldOutMetric')
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    constructor='twlv_mm.ProbeSweepConstructor',
    optimizer=dict(type='AdamW'),  # lr and weight_decay: see the head
    clip_grad=dict(max_norm=1.0),  # for each probe separately
)
default_hooks = dict(choose=dict(type='twlv_mm.ChooseProbeHook'))
