# As ssv2_finetune.py with ViT-L, for which VideoMAE publishes no script: 35 epochs, as for Kinetics-400 (assumed).
_base_ = './ssv2_finetune.py'

encoder = '{{$ENCODER:twlv_large}}'
max_epochs = 35
warmup_epochs = max_epochs * 5 / 35
