# Linear probe on your own videos: they are embedded once by the frozen encoder, then one linear layer is trained on the
# embeddings, in seconds. For 20 to 20,000 videos; docs/own_data.md shows how to use it.
_base_ = ['../_base_/datasets/own_embeddings.py', '../_base_/runtime.py']

max_epochs, batch_size, lr = 100, 8, 1e-2
model = dict(
    type='twlv_mm.EmbeddingLinearProbe', in_channels=_base_.spec.embedding_dims, num_classes=_base_.num_classes
)
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=0,
    sampler=dict(type='twlv_mm.ClassBalancedSampler'),  # rare classes as often as frequent ones
    dataset=_base_.train_set,
)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=max(1, max_epochs // 10))
val_cfg, test_cfg = dict(type='ValLoop'), dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=0, convert_to_iter_based=True)]
default_hooks = dict(
    embeddings=dict(type='twlv_mm.CheckEmbeddingsHook'),
    checkpoint=dict(interval=max(1, max_epochs // 10), save_best=None, max_keep_ckpts=1),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_linear',
        dataset=_base_.dataset_name,
    ),
)
