_base_ = './diving48_attentive.py'

encoder = '{{$ENCODER:twlv_large}}'
