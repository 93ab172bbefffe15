_base_ = './in1k_linear.py'
model = dict(backbone=dict(arch='twlv_large'), cls_head=dict(in_channels=1024))
