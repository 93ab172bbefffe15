# kNN on Moments in Time (protocol of paper 2.2.3; not in its Table 6). Otherwise like k400_knn.py.
_base_ = './k400_knn.py'

set_name, num_classes = 'mit', 339  # first version; second: 305
default_hooks = dict(results=dict(dataset='moments_in_time'))
