# SqueezeTime on Kinetics-600, like k400.py with another weight decay. Published: 76.06 %.
_base_ = './k400.py'

data_root = 'data/kinetics600'
train_list = dict(
    ann_file=f'{data_root}/kinetics600_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos_train')
)
val_list = dict(
    ann_file=f'{data_root}/kinetics600_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos_val')
)
model = dict(cls_head=dict(num_classes=600))
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(dataset=val_list)
test_dataloader = dict(dataset=val_list)
optim_wrapper = dict(optimizer=dict(weight_decay=3e-5))
default_hooks = dict(results=dict(dataset='kinetics600'))
