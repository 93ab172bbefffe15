# Attentive probe on motion; otherwise like appearance_attentive.py.
_base_ = './appearance_attentive.py'

train_dataloader = dict(dataset=dict(ann_file='train_motion.txt'))
test_dataloader = dict(dataset=dict(ann_file='test_motion.txt'))
default_hooks = dict(results=dict(dataset='synthetic_motion'))
