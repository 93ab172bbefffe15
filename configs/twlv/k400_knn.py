# kNN on Kinetics-400 (paper 2.2.3, Table 6): tools/test.py, without checkpoint or training.
_base_ = ['../_base_/datasets/k400_embeddings.py', '../_base_/runtime.py']

# The column of Table 6: 'uniform', 'video' (mean of a video's clips) or 'clip'. Set it here, or KNN_COLUMN=video in the
# environment. With 'clip', every training clip can be a neighbour (assumed), and the votes of a video's clips are
# added.
column = '{{$KNN_COLUMN:clip}}'
columns = dict(uniform=('uniform', 'video'), video=('multi-clip', 'video'), clip=('multi-clip', 'clip'))
if column not in columns:
    raise ValueError(f'unknown column {column!r} of Table 6: set column or KNN_COLUMN to {", ".join(columns)}')
sampling, scope = columns[column]
del columns

k, temperature = 200, 0.1  # as in TWLV-I's script
model = dict(
    type='twlv_mm.EmbeddingKNN',
    bank=dict(
        type='twlv_mm.LabelledEmbeddings',
        data_root=_base_.data_root,
        folder=f'{sampling}/train',
        scope=scope,
    ),
    num_classes={{_base_.num_classes}},
    k=k,
    temperature=temperature,
)
test_dataloader = dict(dataset=dict(folder=f'{sampling}/val', scope=scope))
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    embeddings=dict(type='twlv_mm.CheckEmbeddingsHook'),
    results=dict(
        type='twlv_mm.ResultsHook',
        task='recognition_knn',
        dataset='kinetics400',
    ),
)
