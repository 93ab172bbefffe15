# Kinetics-400 as embeddings of clips of 2 seconds (paper 2.1):
#   python tools/extract.py twlv_base LIST --root VIDEOS --weights encoder.pth --out embeddings/k400 --split train
# and the same for val.
# The labels are those of the list, as extract.py writes them. Where embeddings have none, ann_file takes the list.
written_for = 'twlv_base'  # whose widths the configs on this have; those of the variable encoder take their place
data_root = 'embeddings/k400'
num_classes = 400

split = dict(type='twlv_mm.LabelledEmbeddings', data_root=data_root)
train_set = dict(split, folder='multi-clip/train', scope='random_clip')
test_set = dict(split, folder='multi-clip/val', scope='clip')
test_dataloader = dict(
    batch_size=2048,
    num_workers=0,  # a batch is gathered from a matrix in memory
    sampler=dict(type='mmengine.DefaultSampler', shuffle=False),
    dataset=test_set,
)
accuracy = dict(type='AccMetric', metric_list=('top_k_accuracy',))
test_evaluator = [accuracy, dict(type='twlv_mm.ClassMetric')]  # per class, their mean, and who is taken for whom
