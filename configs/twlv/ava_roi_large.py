# Otherwise as ava_roi.py, on TWLV-I ViT-L.
_base_ = './ava_roi.py'

written_for = 'twlv_large'
model = dict(backbone=dict(arch='twlv_large'), roi_head=dict(bbox_head=dict(in_channels=1024)))
