# Temporal action proposals on ActivityNet-1.3: mmaction2's BMN on embeddings of clips, with the hyperparameters of
# its bmn_2xb8-400x100-9e_activitynet-feature.
_base_ = ['../_base_/datasets/activitynet_embeddings.py', '../_base_/runtime.py']

model = dict(
    type='BMN',
    temporal_dim=100,
    boundary_ratio=0.5,
    num_samples=32,
    num_samples_per_bin=3,
    feat_dim=_base_.spec.embedding_dims,
    soft_nms_alpha=0.4,
    soft_nms_low_threshold=0.5,
    soft_nms_high_threshold=0.9,
    post_process_top_k=100,
)
pipeline = [dict(type='twlv_mm.ResizeFeatures', length=100), dict(type='twlv_mm.PackProposals')]
train_dataloader = dict(batch_size=8, drop_last=True, dataset=dict(pipeline=pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=pipeline))  # BMN takes one video at a time
test_evaluator = dict(_delete_=True, type='twlv_mm.ProposalRecall')
max_epochs = 9
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs)
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=40),
)
param_scheduler = [dict(type='MultiStepLR', milestones=[max(1, max_epochs * 7 // 9)], gamma=0.1)]
auto_scale_lr = dict(enable=False, base_batch_size=16)  # 2 GPUs x 8 videos
default_hooks = dict(
    # The last epoch is tested.
    checkpoint=dict(save_best=None, max_keep_ckpts=1),
    data=dict(type='twlv_mm.CheckEmbeddedVideosHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='localization',
        dataset='activitynet',
    ),
)
