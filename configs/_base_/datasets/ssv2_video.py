# Something-Something v2 as video files: data/ssv2/, prepared by tools/data/ssv2/prepare.py. Like k400_video.py, but
# with stride 1, no flips (classes distinguish left from right) and one clip x 3 crops in tests (paper Table 4).
_base_ = './k400_video.py'

from twlv_mm.encoders import frame_interval  # noqa: E402

data_root = 'data/ssv2'
train_list = dict(ann_file=f'{data_root}/ssv2_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/ssv2_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))

interval = frame_interval(16, _base_.frames)  # stride 1
clips = dict(_base_.clips, frame_interval=interval)
one_clip = [_base_.open_video, dict(clips, num_clips=1), _base_.decode]
train_pipeline = [*one_clip, _base_.cut, _base_.squash, _base_.shape, _base_.pack]
attentive_pipeline = [*one_clip, _base_.attentive_cut, _base_.squash, _base_.shape, _base_.pack]
val_pipeline = [_base_.open_video, dict(clips, num_clips=1, test_mode=True), *_base_.one_view, _base_.pack]
test_pipeline = [_base_.open_video, dict(clips, num_clips=1, test_mode=True), *_base_.three_views, _base_.pack_clips]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **train_list))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline, **val_list))
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=test_pipeline, **val_list))  # 3 views per video
