# kNN on appearance, on the embeddings of motion_knn.py.
_base_ = './motion_knn.py'

model = dict(bank=dict(ann_file=f'{_base_.videos}/train_appearance.txt'))
test_dataloader = dict(dataset=dict(ann_file=f'{_base_.videos}/test_appearance.txt'))
default_hooks = dict(results=dict(dataset='synthetic_appearance'))
