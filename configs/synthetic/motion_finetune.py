# The small encoder trained on motion; otherwise like appearance_finetune.py.
_base_ = './appearance_finetune.py'

train_dataloader = dict(dataset=dict(ann_file='train_motion.txt'))
test_dataloader = dict(dataset=dict(ann_file='test_motion.txt'))
default_hooks = dict(results=dict(dataset='synthetic_motion'))
