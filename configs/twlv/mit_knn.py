# kNN on Moments in Time (paper 2.2.3, Table 6). Otherwise as k400_knn.py.
_base_ = './k400_knn.py'

set_name, num_classes = 'mit', 339  # the first version; the second: 305
default_hooks = dict(results=dict(dataset='moments_in_time'))
