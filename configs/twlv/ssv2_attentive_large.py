_base_ = './ssv2_attentive.py'

encoder = '{{$ENCODER:twlv_large}}'
