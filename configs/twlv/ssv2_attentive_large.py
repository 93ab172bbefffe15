_base_ = './ssv2_attentive.py'
model = dict(backbone=dict(arch='twlv_large'), cls_head=dict(in_channels=1024, num_heads=16))
