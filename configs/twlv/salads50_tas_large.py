_base_ = './salads50_tas.py'

encoder = '{{$ENCODER:twlv_large}}'
