# Linear probe on stored embeddings of Something-Something v2. Otherwise as k400_linear_offline.py.
_base_ = './k400_linear_offline.py'

data_root = 'embeddings/ssv2'
model = dict(num_classes=174)
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
default_hooks = dict(results=dict(dataset='ssv2'))
