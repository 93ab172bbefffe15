# Breakfast as embeddings of clips (docs/segmentation.md): 1,712 videos in 4 folds, otherwise like GTEA (paper Table 7).
_base_ = './gtea_embeddings.py'

from twlv_mm.encoders import embeddings_folder  # noqa: E402

embeddings = embeddings_folder('breakfast', _base_.spec)
videos = dict(data_root='data/breakfast', folder=f'{embeddings}/multi-clip/train')
train_dataloader = dict(dataset=videos)
test_dataloader = dict(dataset=videos)
