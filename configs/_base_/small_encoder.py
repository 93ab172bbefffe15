# The small encoder of this package with the weights that it brings, unless another one is asked for. It has learned
# from rendered shapes only: to try things, not to judge real videos by.
_base_ = './encoder.py'

encoder = '{{$ENCODER:twlv_small_synthetic}}'
encoder_defaults = dict(twlv_small_synthetic=dict(weights='official'))
