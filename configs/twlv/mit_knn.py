# kNN on Moments in Time (paper 2.2.3, Table 6). Otherwise as k400_knn.py.
_base_ = './k400_knn.py'

data_root = 'embeddings/mit'
model = dict(num_classes=339, bank=dict(data_root=data_root))  # the first version; the second: 305
test_dataloader = dict(dataset=dict(data_root=data_root))
default_hooks = dict(results=dict(dataset='moments_in_time'))
