_base_ = './thumos14_tal.py'

encoder = '{{$ENCODER:twlv_large}}'
