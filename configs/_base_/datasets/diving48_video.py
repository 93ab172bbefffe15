# Diving-48 (V2 labels) as video files: data/diving48/, prepared by tools/data/diving48/prepare.py. Like k400_video.py,
# but without flips (paper Table 4).
_base_ = './k400_video.py'

data_root = 'data/diving48'
train_list = dict(ann_file=f'{data_root}/diving48_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/diving48_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))

clips = _base_.clips
one_clip = [_base_.open_video, dict(clips, num_clips=1), _base_.decode]
train_pipeline = [*one_clip, _base_.cut, _base_.squash, _base_.shape, _base_.pack]
attentive_pipeline = [*one_clip, _base_.attentive_cut, _base_.squash, _base_.shape, _base_.pack]
val_pipeline = [_base_.open_video, dict(clips, num_clips=1, test_mode=True), *_base_.one_view, _base_.pack]
test_pipeline = [_base_.open_video, dict(clips, num_clips=4, test_mode=True), *_base_.three_views, _base_.pack_clips]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **train_list))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline, **val_list))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline, **val_list))  # 12 views per video
