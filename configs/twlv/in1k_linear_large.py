_base_ = './in1k_linear.py'

encoder = '{{$ENCODER:twlv_large}}'
