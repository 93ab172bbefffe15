# Your own videos as embeddings of clips, extracted when first needed, with the lists of tools/make_lists.py
# (docs/own_data.md).
_base_ = '../small_encoder.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402
from twlv_mm.records import classes_of  # noqa: E402

data_root = 'data/own'  # train.txt, val.txt and classes.txt
video_root = data_root  # paths in the lists are relative to it
dataset_name = data_root.rstrip('/').split('/')[-1]
num_folds = 0  # folds of a cross-validation: train_fold1.txt, val_fold1.txt, ...
test_split = 'val'  # or 'test', if there is a test.txt
clip_seconds = 2.0
embeddings = None  # folder; by default one in data_root named after the encoder

num_classes = len(classes_of(f'{data_root}/classes.txt', data_root))
folds = list(range(1, num_folds + 1))
ending = '_fold{fold}.txt' if num_folds else '.txt'
embeddings_root = embeddings or embeddings_folder(dataset_name, _base_.spec, f'{data_root}/embeddings')

names = [f'{part}_fold{fold}' for fold in folds for part in ('train', 'val')]
lists = names or list(dict.fromkeys(['train', 'val', test_split]))
extraction = dict(
    encoder=_base_.extractor,
    sampling='multi-clip',  # a video shorter than a clip is a single clip
    clip_seconds=clip_seconds,
    splits=dict(all=[dict(source=f'{data_root}/{name}.txt', root=video_root) for name in lists]),
    out=embeddings_root,
)
listed = dict(
    type='twlv_mm.LabelledEmbeddings', data_root=embeddings_root, folder='multi-clip/all', listed_only=True, fold=1
)
train_set = dict(listed, scope='random_clip', ann_file=f'{data_root}/train{ending}')
val_dataloader = dict(
    batch_size=2048,
    num_workers=0,  # batches come from memory
    sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
    dataset=dict(listed, scope='clip', ann_file=f'{data_root}/val{ending}'),
)
test_dataloader = dict(
    val_dataloader, dataset=dict(val_dataloader['dataset'], ann_file=f'{data_root}/{test_split}{ending}')
)
topk = (1, 5) if num_classes > 5 else (1,)
accuracy = dict(top_k_accuracy=dict(topk=topk))
val_evaluator = dict(type='AccMetric', metric_list=('top_k_accuracy',), metric_options=accuracy)
test_evaluator = [val_evaluator, dict(type='twlv_mm.ClassMetric')]  # per class, mean over classes, confusion matrix
