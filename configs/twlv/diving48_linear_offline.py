# Linear probe on stored embeddings of Diving-48. Otherwise like k400_linear_offline.py.
_base_ = './k400_linear_offline.py'

set_name, num_classes = 'diving48', 48
default_hooks = dict(results=dict(dataset='diving48'))
