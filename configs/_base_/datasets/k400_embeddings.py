# Kinetics-400 as embeddings of clips of 2 seconds (paper 2.1):
#   python tools/extract.py twlv_base LIST --root VIDEOS --weights encoder.pth --split train
#   --out embeddings/k400_twlv_base
# and the same for val.
# Labels are those that extract.py has taken from the list; for embeddings without labels, set ann_file to the list.
_base_ = '../encoder.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

set_name, num_classes, embeddings_root = 'k400', 400, 'embeddings'
data_root = embeddings_folder(set_name, _base_.spec, embeddings_root)

split = dict(type='twlv_mm.LabelledEmbeddings', data_root=data_root)
train_set = dict(split, folder='multi-clip/train', scope='random_clip')
test_set = dict(split, folder='multi-clip/val', scope='clip')
test_dataloader = dict(
    batch_size=2048,
    num_workers=0,  # batches come from memory
    sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
    dataset=test_set,
)
accuracy = dict(type='AccMetric', metric_list=('top_k_accuracy',))
test_evaluator = [accuracy, dict(type='twlv_mm.ClassMetric')]  # per class, mean over classes, confusion matrix
