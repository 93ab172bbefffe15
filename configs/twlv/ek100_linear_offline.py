# Linear probe on stored embeddings of the verbs of EPIC-KITCHENS-100. Otherwise like k400_linear_offline.py.
# The videos are the segments of the list, which tools/extract.py takes as it is (docs/recognition.md).
_base_ = './k400_linear_offline.py'

set_name, num_classes = 'ek100', 97
default_hooks = dict(results=dict(dataset='epic_kitchens100'))
