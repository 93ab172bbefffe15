# The sets of the paper's variant +SSv2: those of TWLV-I, and Something-Something v2's training videos (paper Table 2).
_base_ = './pretrain_images_videos.py'

train_dataloader = dict(
    dataset=dict(
        sets=dict(
            ssv2=dict(
                kind='video',
                weight=0.168913,
                dataset=dict(
                    type='twlv_mm.VideoListDataset',
                    ann_file='data/ssv2/ssv2_train_list_videos.txt',  # from tools/data/ssv2/prepare.py
                    data_prefix=dict(video='data/ssv2/videos'),
                    pipeline={{_base_.video_pipeline}},
                ),
            )
        )
    )
)
