# The small encoder trained on the middle frame of each clip, on motion: a check, which must end at chance.
_base_ = './motion_finetune.py'

encoder_overrides = dict(num_frames=1, tubelet_size=1)
default_hooks = dict(results=dict(dataset='synthetic_motion_single_frame'))
