# kNN on Something-Something v2 (paper 2.2.3, Table 6). Otherwise as k400_knn.py.
_base_ = './k400_knn.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

data_root = embeddings_folder('ssv2', _base_.spec)
model = dict(num_classes=174, bank=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
default_hooks = dict(results=dict(dataset='ssv2'))
