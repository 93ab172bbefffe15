# Something-Something v2 as video files: data/ssv2/, prepared by tools/data/ssv2/prepare.py. As k400_video.py, but
# tested on 2 clips x 3 crops (V-JEPA's SSv2 recipe, which the paper follows). Classes tell left from right: never flip.
_base_ = './k400_video.py'

data_root = 'data/ssv2'
train_list = dict(ann_file=f'{data_root}/ssv2_train_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
val_list = dict(ann_file=f'{data_root}/ssv2_val_list_videos.txt', data_prefix=dict(video=f'{data_root}/videos'))
test_pipeline = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.SampleClips', num_frames=16, frame_interval=4, num_clips=2, test_mode=True),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='twlv_mm.LongSideCrops', size=224, num_crops=3, resize='short_side'),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs', meta_keys=('img_shape', 'num_clips')),  # the attentive head needs num_clips
]
train_dataloader = dict(dataset=train_list)
val_dataloader = dict(dataset=val_list)
test_dataloader = dict(batch_size=4, dataset=dict(pipeline=test_pipeline, **val_list))  # one video is 6 views
