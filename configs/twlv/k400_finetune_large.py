# As k400_finetune.py, with VideoMAE's 35 epochs for ViT-L. Its batch has 128 videos, each twice, and a rate of 1e-3;
# here a video comes once in a batch of 512, with the rate for them, 2e-3.
_base_ = './k400_finetune.py'

encoder = '{{$ENCODER:twlv_large}}'
train_cfg = dict(max_epochs=35)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=5, T_max=30, eta_min_ratio=1e-3, convert_to_iter_based=True),
]
