# Temporal action localization on THUMOS14: ActionFormer on SqueezeTime's embeddings of clips. The clips and settings of
# the published experiment are not known: assumed as for TWLV-I.
_base_ = '../twlv/thumos14_tal.py'

written_for = 'squeezetime_r50'
data_root = 'embeddings/thumos14_squeezetime'
model = dict(in_channels=2048)
train_dataloader = dict(dataset=dict(folder=f'{data_root}/multi-clip/train'))
test_dataloader = dict(dataset=dict(folder=f'{data_root}/multi-clip/val'))
