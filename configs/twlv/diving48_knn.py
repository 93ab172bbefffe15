# kNN on Diving-48 (paper 2.2.3, Table 6). Otherwise as k400_knn.py.
_base_ = './k400_knn.py'

data_root = 'embeddings/diving48'
model = dict(num_classes=48, bank=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
default_hooks = dict(results=dict(dataset='diving48'))
