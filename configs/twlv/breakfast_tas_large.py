_base_ = './breakfast_tas.py'

encoder = '{{$ENCODER:twlv_large}}'
