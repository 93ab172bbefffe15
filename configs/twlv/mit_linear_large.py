_base_ = './mit_linear.py'

encoder = '{{$ENCODER:twlv_large}}'
