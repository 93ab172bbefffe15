_base_ = './mit_attentive.py'

encoder = '{{$ENCODER:twlv_large}}'
