_base_ = './k400_attentive.py'

encoder = '{{$ENCODER:twlv_large}}'
