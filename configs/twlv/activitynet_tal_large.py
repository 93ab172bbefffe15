_base_ = './activitynet_tal.py'

encoder = '{{$ENCODER:twlv_large}}'
