# Your own videos as files, with the lists of tools/make_lists.py (docs/own_data.md).
_base_ = '../small_encoder.py'

from twlv_mm.records import classes_of  # noqa: E402

data_root = 'data/own'  # train.txt, val.txt and classes.txt
video_root = data_root  # paths in the lists are relative to it
dataset_name = data_root.rstrip('/').split('/')[-1]
num_folds = 0  # folds of a cross-validation: train_fold1.txt, val_fold1.txt, ...
test_split = 'val'  # or 'test', if there is a test.txt
clip_seconds, test_clips = 2.0, 3
area_range = (0.5, 1.0)  # fraction of a frame that training crops

num_classes = len(classes_of(f'{data_root}/classes.txt', data_root))
folds = list(range(1, num_folds + 1))
ending = '_fold{fold}.txt' if num_folds else '.txt'

frames = _base_.spec.num_frames
open_video, decode = dict(type='twlv_mm.OpenVideo'), dict(type='twlv_mm.DecodeVideo')
clips = dict(type='twlv_mm.SegmentSample', num_frames=frames, clip_seconds=clip_seconds)
shape, pack = dict(type='FormatShape', input_format='NCTHW'), dict(type='PackActionInputs')
# No flips: classes may distinguish left from right.
cut = dict(type='RandomResizedCrop', area_range=area_range, aspect_ratio_range=(0.75, 1.33))
train_pipeline = [open_video, clips, decode, cut, _base_.squash, shape, pack]
test_pipeline = [open_video, dict(clips, num_clips=test_clips, test_mode=True), decode, _base_.square, shape, pack]

videos = dict(type='twlv_mm.VideoListDataset', data_prefix=dict(video=video_root), fold=1)
train_dataloader = dict(
    num_workers=2,
    sampler=dict(type='twlv_mm.ClassBalancedSampler'),  # rare classes as often as frequent ones
    dataset=dict(videos, ann_file=f'{data_root}/train{ending}', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(videos, ann_file=f'{data_root}/val{ending}', pipeline=test_pipeline, test_mode=True),
)
test_dataloader = dict(
    val_dataloader, dataset=dict(val_dataloader['dataset'], ann_file=f'{data_root}/{test_split}{ending}')
)
topk = (1, 5) if num_classes > 5 else (1,)
accuracy = dict(top_k_accuracy=dict(topk=topk))
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy',), metric_options=accuracy)
test_evaluator = [val_evaluator, dict(type='twlv_mm.ClassMetric')]  # per class, mean over classes, confusion matrix
