# Linear probe on stored embeddings of Something-Something v2. Otherwise like k400_linear_offline.py.
_base_ = './k400_linear_offline.py'

set_name, num_classes = 'ssv2', 174
default_hooks = dict(results=dict(dataset='ssv2'))
