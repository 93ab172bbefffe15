# Linear probe on stored embeddings of Moments in Time. Otherwise like k400_linear_offline.py.
_base_ = './k400_linear_offline.py'

set_name, num_classes = 'mit', 339  # first version; second: 305
default_hooks = dict(results=dict(dataset='moments_in_time'))
