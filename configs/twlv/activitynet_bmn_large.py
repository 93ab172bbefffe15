# Otherwise as activitynet_bmn.py, on embeddings of ViT-L.
_base_ = './activitynet_bmn.py'

written_for = 'twlv_large'
data_root = 'embeddings/activitynet_large'
model = dict(feat_dim=1024)
train_dataloader = dict(dataset=dict(folder=f'{data_root}/multi-clip/train'))
test_dataloader = dict(dataset=dict(folder=f'{data_root}/multi-clip/val'))
