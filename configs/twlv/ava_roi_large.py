_base_ = './ava_roi.py'

encoder = '{{$ENCODER:twlv_large}}'
