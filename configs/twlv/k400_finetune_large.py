# Like k400_finetune.py, with VideoMAE's 35 epochs for ViT-L. VideoMAE has batches of 128 videos, each twice, and a rate
# of 1e-3; here batches have 512 different videos, with the rate scaled to 2e-3.
_base_ = './k400_finetune.py'

encoder = '{{$ENCODER:twlv_large}}'
max_epochs = 35
warmup_epochs = max_epochs * 5 / 35
