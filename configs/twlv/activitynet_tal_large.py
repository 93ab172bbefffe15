# Otherwise as activitynet_tal.py, on embeddings of ViT-L.
_base_ = './activitynet_tal.py'

written_for = 'twlv_large'
data_root = 'embeddings/activitynet_large'
model = dict(in_channels=1024)
train_dataloader = dict(dataset=dict(folder=f'{data_root}/multi-clip/train'))
test_dataloader = dict(dataset=dict(folder=f'{data_root}/multi-clip/val'))
