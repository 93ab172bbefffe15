_base_ = './ssv2_linear.py'

written_for = 'twlv_large'
model = dict(backbone=dict(arch='twlv_large'), cls_head=dict(in_channels=1024))
