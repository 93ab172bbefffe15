# Breakfast as embeddings of clips (docs/segmentation.md): 1,712 videos in 4 folds, otherwise as GTEA (paper Table 7).
_base_ = './gtea_embeddings.py'

videos = dict(data_root='data/breakfast', folder='embeddings/breakfast/multi-clip/train')
train_dataloader = dict(dataset=videos)
test_dataloader = dict(dataset=videos)
