_base_ = './ssv2_linear.py'

encoder = '{{$ENCODER:twlv_large}}'
