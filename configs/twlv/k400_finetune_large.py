# As k400_finetune.py, with VideoMAE's 35 epochs for ViT-L. Its batch has 128 videos, each twice, and a rate of 1e-3;
# here a video comes once in a batch of 512, with the rate for them, 2e-3.
_base_ = './k400_finetune.py'

encoder = '{{$ENCODER:twlv_large}}'
max_epochs = 35
warmup_epochs = max_epochs * 5 / 35
