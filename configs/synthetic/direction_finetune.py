# The tiny encoder learns, from scratch, which way a shape moves (generated videos; see tools/demo.py).
_base_ = ['./direction_linear.py']

model = dict(backbone=dict(frozen=False))
default_hooks = dict(results=dict(dataset='synthetic_direction_finetune'))
