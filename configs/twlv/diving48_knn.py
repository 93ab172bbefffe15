# kNN on Diving-48 (protocol of paper 2.2.3; not in its Table 6). Otherwise like k400_knn.py.
_base_ = './k400_knn.py'

set_name, num_classes = 'diving48', 48
default_hooks = dict(results=dict(dataset='diving48'))
