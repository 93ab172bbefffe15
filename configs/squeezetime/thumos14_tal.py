# Temporal action localization on THUMOS14: ActionFormer on SqueezeTime's embeddings of clips. Clips and settings of
# the published experiment are unknown; assumed: as for TWLV-I.
_base_ = '../twlv/thumos14_tal.py'

encoder = '{{$ENCODER:squeezetime_r50}}'
