_base_ = './activitynet_bmn.py'

encoder = '{{$ENCODER:twlv_large}}'
