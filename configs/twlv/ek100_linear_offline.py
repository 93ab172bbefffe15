# Linear probe on stored embeddings of the verbs of EPIC-KITCHENS-100. Otherwise as k400_linear_offline.py.
# The videos are the segments of the list, which tools/extract.py takes as it is (docs/recognition.md).
_base_ = './k400_linear_offline.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

data_root = embeddings_folder('ek100', _base_.spec)
model = dict(num_classes=97)
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
default_hooks = dict(results=dict(dataset='epic_kitchens100'))
