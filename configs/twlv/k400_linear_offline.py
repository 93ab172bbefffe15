# Linear probe on stored embeddings of Kinetics-400: trained on a random clip of each video within minutes.
_base_ = [
    '../_base_/datasets/k400_embeddings.py',
    '../_base_/schedules/offline_linear_150e.py',
    '../_base_/runtime.py',
]

model = dict(
    type='twlv_mm.EmbeddingLinearProbe', in_channels=_base_.spec.embedding_dims, num_classes=_base_.num_classes
)
train_dataloader = dict(
    batch_size=1024,
    num_workers=0,
    sampler=dict(type='mmengine.DefaultSampler', shuffle=True),
    dataset={{_base_.train_set}},
)
val_dataloader = {{_base_.test_dataloader}}
val_evaluator = {{_base_.accuracy}}
default_hooks = dict(
    embeddings=dict(type='twlv_mm.CheckEmbeddingsHook'),
    checkpoint=dict(interval=10),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_linear',
        dataset='kinetics400',
    ),
)
