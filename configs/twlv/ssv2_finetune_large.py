# Like ssv2_finetune.py with ViT-L, for which VideoMAE has no published script; assumed: 35 epochs, as on Kinetics-400.
_base_ = './ssv2_finetune.py'

encoder = '{{$ENCODER:twlv_large}}'
max_epochs = 35
warmup_epochs = max_epochs * 5 / 35
