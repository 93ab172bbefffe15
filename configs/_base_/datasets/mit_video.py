# Moments in Time as video files: data/mit/, prepared by tools/data/mit/prepare.py. As k400_video.py, but tested on 2
# clips x 3 crops. Both assumed: V-JEPA's recipe for SSv2, whose videos are as short.
_base_ = './k400_video.py'

data_root = 'data/mit'
train_list = dict(ann_file=f'{data_root}/mit_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/mit_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=2, test_mode=True),
    *_base_.three_views,
    _base_.pack_clips,
]
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(dataset=val_list)
test_dataloader = dict(batch_size=4, dataset=dict(pipeline=test_pipeline, **val_list))  # one video is 6 views
