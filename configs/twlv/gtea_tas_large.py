_base_ = './gtea_tas.py'

encoder = '{{$ENCODER:twlv_large}}'
