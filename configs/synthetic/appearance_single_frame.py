# The small encoder trained on the middle frame of each clip, on appearance: an image encoder, a teacher for
# pretraining.
_base_ = './motion_single_frame.py'

train_dataloader = dict(dataset=dict(ann_file='train_appearance.txt'))
test_dataloader = dict(dataset=dict(ann_file='test_appearance.txt'))
default_hooks = dict(results=dict(dataset='synthetic_appearance_single_frame'))
