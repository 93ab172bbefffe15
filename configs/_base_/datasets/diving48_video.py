# Diving-48 (V2 labels) as video files: data/diving48/, prepared by tools/data/diving48/prepare.py. As k400_video.py,
# but tested on 4 clips x 3 crops: assumed. V-JEPA 2 tests Diving-48 on 4 x 3 clips of 32 frames with stride 2, which
# span the same time.
_base_ = './k400_video.py'

data_root = 'data/diving48'
train_list = dict(ann_file=f'{data_root}/diving48_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/diving48_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=16, frame_interval=4, num_clips=4, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='twlv_mm.LongSideCrops', size=224, num_crops=3, resize='short_side'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'num_clips')),  # the attentive head needs num_clips
]
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(dataset=val_list)
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline, **val_list))  # one video is 12 views
