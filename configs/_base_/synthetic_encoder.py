# The small encoder of the generated videos, unless another encoder is set: 64 tokens per clip, for two CPU cores.
_base_ = './encoder.py'

encoder = '{{$ENCODER:twlv_small_synthetic}}'
encoder_overrides = dict(allow_random=True)
