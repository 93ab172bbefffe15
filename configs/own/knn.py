# kNN on your own videos: embedded once by the frozen encoder; the nearest training clips vote. Nothing is trained: run
# tools/test.py without a checkpoint. docs/own_data.md shows how to use it.
_base_ = ['../_base_/datasets/own_embeddings.py', '../_base_/runtime.py']

k, temperature = 5, 0.1  # k=20 for 200 videos or more, 200 for 20,000 or more (published: 200 for 240,000)
model = dict(
    type='twlv_mm.EmbeddingKNN',
    bank=dict(_base_.train_set, scope='clip'),
    num_classes=_base_.num_classes,
    k=k,
    temperature=temperature,
)
test_cfg = dict(type='TestLoop')
val_dataloader, val_evaluator = None, None
default_hooks = dict(
    embeddings=dict(type='twlv_mm.CheckEmbeddingsHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_knn',
        dataset=_base_.dataset_name,
    ),
)
