_base_ = './in1k_attentive.py'

encoder = '{{$ENCODER:twlv_large}}'
