# Otherwise as ava_stal.py, on TWLV-I ViT-L.
_base_ = './ava_stal.py'

written_for = 'twlv_large'
model = dict(backbone=dict(arch='twlv_large'), decoder=dict(in_channels=1024))
