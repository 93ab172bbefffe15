# SqueezeTime on Something-Something v2. Its recipe is not published; assumed: like k400.py, but without flips,
# because classes distinguish left from right.
_base_ = './k400.py'

data_root = 'data/ssv2'
train_list = dict(ann_file=f'{data_root}/ssv2_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/ssv2_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
train_pipeline = [step for step in _base_.train_pipeline if step['type'] != 'Flip']
model = dict(cls_head=dict(num_classes=174))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **train_list))
val_dataloader = dict(dataset=val_list)
test_dataloader = dict(dataset=val_list)
default_hooks = dict(results=dict(dataset='ssv2'))
