_base_ = './activitynet_tal_external.py'

encoder = '{{$ENCODER:twlv_large}}'
