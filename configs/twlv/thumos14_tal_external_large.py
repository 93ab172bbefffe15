_base_ = './thumos14_tal_external.py'

encoder = '{{$ENCODER:twlv_large}}'
