# The small encoder with the weights of this package, unless another encoder is set. It was trained on rendered shapes
# only: good for trying things out, not for real videos.
_base_ = './encoder.py'

encoder = '{{$ENCODER:twlv_small_synthetic}}'
encoder_defaults = dict(twlv_small_synthetic=dict(weights='official'))
