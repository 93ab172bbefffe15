# Otherwise as gtea_tas.py, on embeddings of ViT-L.
_base_ = './gtea_tas.py'

written_for = 'twlv_large'
folder = 'embeddings/gtea_large/multi-clip/train'
model = dict(in_channels=1024)
train_dataloader = dict(dataset=dict(folder=folder))
test_dataloader = dict(dataset=dict(folder=folder))
