_base_ = './ek100_linear.py'

encoder = '{{$ENCODER:twlv_large}}'
