# The small encoder trained on appearance and motion at once: the config of `make small`.
_base_ = './appearance_finetune.py'

# A clip has one of 8 appearances and one of 8 motions: two of 16 classes, each with probability 0.5.
labels = dict(multi_class=True, num_classes=16)
listed = dict(type='VideoDataset', **labels)  # mmaction2's class reads lines with several classes
model = dict(cls_head=dict(loss_cls=dict(type='CrossEntropyLoss'), **labels))
train_dataloader = dict(dataset=dict(ann_file='train_both.txt', **listed))
test_dataloader = dict(dataset=dict(ann_file='test_both.txt', **listed))
test_evaluator = dict(_delete_=True, type='AccMetric', metric_list=('mean_average_precision',))
default_hooks = dict(results=dict(dataset='synthetic_both_finetune'))
