# kNN on motion, on stored embeddings of whole clips: tools/test.py, without checkpoint or training. First extract,
# for train and test (one line):
#   python tools/extract.py twlv_small_synthetic work_dirs/synthetic/trimmed/train_both.txt --sampling uniform
#   --weights work_dirs/small/encoder.pth --split train
#   --out work_dirs/synthetic/embeddings/trimmed_twlv_small_synthetic
_base_ = '../twlv/k400_knn.py'

encoder = '{{$ENCODER:twlv_small_synthetic}}'
videos = '{{$SYNTHETIC:work_dirs/synthetic}}/trimmed'
set_name, embeddings_root, num_classes, column = 'trimmed', 'work_dirs/synthetic/embeddings', 8, 'uniform'
k = 20  # for 3,000 videos; published: 200 for 240,000
model = dict(bank=dict(ann_file=f'{videos}/train_motion.txt'))
test_dataloader = dict(dataset=dict(folder='uniform/test', ann_file=f'{videos}/test_motion.txt'))
default_hooks = dict(results=dict(dataset='synthetic_motion'))
