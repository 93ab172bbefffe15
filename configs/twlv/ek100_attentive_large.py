_base_ = './ek100_attentive.py'

encoder = '{{$ENCODER:twlv_large}}'
