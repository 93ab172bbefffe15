# The small encoder trained on the middle frame of each clip, on both labels at once: it can learn appearance but not
# motion. A baseline without time.
_base_ = './motion_single_frame.py'

labels = dict(multi_class=True, num_classes=16)
listed = dict(type='VideoDataset', **labels)  # mmaction2's class reads lines with several classes
model = dict(cls_head=dict(loss_cls=dict(type='CrossEntropyLoss'), **labels))
train_dataloader = dict(dataset=dict(ann_file='train_both.txt', **listed))
test_dataloader = dict(dataset=dict(ann_file='test_both.txt', **listed))
test_evaluator = dict(_delete_=True, type='AccMetric', metric_list=('mean_average_precision',))
default_hooks = dict(results=dict(dataset='synthetic_both_single_frame'))
