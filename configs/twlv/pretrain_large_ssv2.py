# Pretraining of TWLV-I (+SSv2), ViT-L, with the training videos of Something-Something v2 added (paper Table 2);
# otherwise like pretrain_large.py.
_base_ = './pretrain_large.py'

ssv2 = dict(
    kind='video',
    weight=0.168913,
    dataset=dict(
        type='twlv_mm.VideoListDataset',
        ann_file='data/ssv2/ssv2_train_list_videos.txt',  # from tools/data/ssv2/prepare.py
        data_prefix=dict(video='data/ssv2/videos'),
        pipeline=_base_.video_pipeline,
    ),
)
train_dataloader = dict(dataset=dict(sets=dict(ssv2=ssv2)))
