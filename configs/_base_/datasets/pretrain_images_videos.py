# Pretraining data of TWLV-I (paper Table 1): K710, HowTo360K, WebVid10M and 15 million images.
# docs/pretraining_data.md has the layout of data/.
#
# Assumed (not in the paper):
# - every sample is equally likely: weights are Table 1's numbers of clips and images, in millions;
# - clips, crops and flips of V-JEPA; an image is a still clip of one tubelet;
# - four times as many images as videos in a batch; an image has an eighth of a video's patches.
_base_ = '../encoder.py'

from twlv_mm.encoders import frame_interval  # noqa: E402

clip_len, tubelet = _base_.spec.num_frames, _base_.spec.tubelet_size

augmentation = [
    dict(type='RandomResizedCrop', area_range=(0.3, 1.0), aspect_ratio_range=(0.75, 1.35)),
    _base_.squash,
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
]
video_pipeline = [
    dict(type='twlv_mm.OpenVideo'),  # files and members of shards
    dict(type='twlv_mm.SampleClips', num_frames=clip_len, frame_interval=frame_interval(64, clip_len), num_clips=1),
    dict(type='twlv_mm.DecodeVideo'),
    *augmentation,
    dict(type='PackActionInputs'),
]
image_pipeline = [
    dict(type='twlv_mm.ImageDecode'),
    *augmentation,
    dict(type='twlv_mm.StillVideo', num_frames=tubelet),
    dict(type='PackActionInputs'),
]

videos = dict(type='twlv_mm.FileListDataset', pipeline=video_pipeline)
images = dict(type='twlv_mm.FileListDataset', pipeline=image_pipeline)
video_shards = dict(type='twlv_mm.ShardDataset', pipeline=video_pipeline)
image_shards = dict(type='twlv_mm.ShardDataset', pipeline=image_pipeline)

train_dataloader = dict(
    batch_size=None,  # batches come from the sampler
    num_workers=12,
    pin_memory=True,
    sampler=dict(type='twlv_mm.MixtureSampler', batch_sizes=dict(video=3072, image=12288)),  # over all processes
    dataset=dict(
        type='twlv_mm.MixtureDataset',
        sets=dict(
            kinetics710=dict(
                kind='video',
                weight=0.658,  # Kinetics-400, 600 and 700 without duplicates
                dataset=dict(ann_file='data/k710/videos.txt', data_prefix=dict(video='data/k710'), **videos),
            ),
            howto360k=dict(
                kind='video',
                weight=0.360,
                dataset=dict(ann_file='data/howto360k/videos.txt', data_prefix=dict(video='data/howto360k'), **videos),
            ),
            webvid10m=dict(kind='video', weight=10.73, dataset=dict(shards='data/webvid10m/*.tar', **video_shards)),
            coco=dict(
                kind='image',
                weight=0.113,
                dataset=dict(ann_file='data/coco/images.txt', data_prefix=dict(video='data/coco'), **images),
            ),
            visual_genome=dict(
                kind='image',
                weight=0.100,
                dataset=dict(
                    ann_file='data/visual_genome/images.txt', data_prefix=dict(video='data/visual_genome'), **images
                ),
            ),
            sbu=dict(kind='image', weight=0.860, dataset=dict(shards='data/sbu/*.tar', **image_shards)),
            cc3m=dict(kind='image', weight=2.88, dataset=dict(shards='data/cc3m/*.tar', **image_shards)),
            cc12m=dict(kind='image', weight=11.00, dataset=dict(shards='data/cc12m/*.tar', **image_shards)),
        ),
    ),
)
