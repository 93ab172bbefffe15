_base_ = './diving48_linear.py'

encoder = '{{$ENCODER:twlv_large}}'
