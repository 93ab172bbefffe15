# Pretraining of TWLV-I, ViT-L; otherwise like pretrain_base.py.
_base_ = './pretrain_base.py'

encoder = '{{$ENCODER:twlv_large}}'
