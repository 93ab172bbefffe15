# As ssv2_finetune.py with ViT-L, for which VideoMAE publishes no script: 35 epochs, as for Kinetics-400 (assumed).
_base_ = './ssv2_finetune.py'

encoder = '{{$ENCODER:twlv_large}}'
train_cfg = dict(max_epochs=35)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=5, T_max=30, eta_min_ratio=1e-3, convert_to_iter_based=True),
]
