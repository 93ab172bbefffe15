# kNN on the verbs of EPIC-KITCHENS-100 (protocol of paper 2.2.3; not in its Table 6). Otherwise like k400_knn.py.
# The videos are the segments of the list, which tools/extract.py takes as it is (docs/recognition.md).
_base_ = './k400_knn.py'

set_name, num_classes = 'ek100', 97
default_hooks = dict(results=dict(dataset='epic_kitchens100'))
