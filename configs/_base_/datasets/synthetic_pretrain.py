# The generated clips of synthetic_trimmed.py, without labels, for pretraining by steps.
_base_ = './synthetic_trimmed.py'

train_dataloader = dict(
    _delete_=True,
    batch_size=None,  # batches come from the sampler
    num_workers=0,
    sampler=dict(type='twlv_mm.MixtureSampler', batch_sizes=dict(video=32)),
    dataset=dict(
        type='twlv_mm.MixtureDataset',
        sets=dict(
            synthetic_trimmed=dict(
                kind='video',
                weight=1,
                dataset=dict(
                    type='VideoDataset',
                    data_root={{_base_.data_root}},
                    ann_file='train_appearance.txt',
                    data_prefix=dict(video=''),
                    pipeline={{_base_.pipeline}},
                ),
            )
        ),
    ),
)
