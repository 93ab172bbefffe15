# Diving-48 (V2 labels) as video files: data/diving48/, prepared by tools/data/diving48/prepare.py. As k400_video.py,
# but tested on 4 clips x 3 crops: assumed. V-JEPA 2 tests Diving-48 on 4 x 3 clips of 32 frames with stride 2, which
# span the same time.
_base_ = './k400_video.py'

data_root = 'data/diving48'
train_list = dict(ann_file=f'{data_root}/diving48_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/diving48_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(_base_.clips, num_clips=4, test_mode=True),
    *_base_.three_views,
    _base_.pack_clips,
]
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(dataset=val_list)
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline, **val_list))  # one video is 12 views
