# kNN on Something-Something v2 (paper 2.2.3, Table 6). Otherwise like k400_knn.py.
_base_ = './k400_knn.py'

set_name, num_classes = 'ssv2', 174
default_hooks = dict(results=dict(dataset='ssv2'))
