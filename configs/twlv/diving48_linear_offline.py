# Linear probe on stored embeddings of Diving-48. Otherwise as k400_linear_offline.py.
_base_ = './k400_linear_offline.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

data_root = embeddings_folder('diving48', _base_.spec)
model = dict(num_classes=48)
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
default_hooks = dict(results=dict(dataset='diving48'))
