_base_ = './k400_linear.py'

encoder = '{{$ENCODER:twlv_large}}'
