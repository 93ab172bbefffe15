# Pretraining of TWLV-I, ViT-L; otherwise as pretrain_base.py.
_base_ = './pretrain_base.py'

written_for = 'twlv_large'
model = dict(backbone=dict(arch='twlv_large'), predictor=dict(num_heads=16))
