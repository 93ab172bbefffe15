_base_ = './ava_stal.py'

encoder = '{{$ENCODER:twlv_large}}'
