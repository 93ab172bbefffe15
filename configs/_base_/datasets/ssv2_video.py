# Something-Something v2 as video files: data/ssv2/, prepared by tools/data/ssv2/prepare.py. As k400_video.py, but
# tested on 2 clips x 3 crops (V-JEPA's SSv2 recipe, which the paper follows). Classes tell left from right: never flip.
_base_ = './k400_video.py'

data_root = 'data/ssv2'
train_list = dict(ann_file=f'{data_root}/ssv2_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/ssv2_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=2, test_mode=True),
    *_base_.three_views,
    _base_.pack_clips,
]
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(dataset=val_list)
test_dataloader = dict(batch_size=4, dataset=dict(pipeline=test_pipeline, **val_list))  # one video is 6 views
