# What a single frame tells about motion, which is to be nothing: the small encoder on each clip's middle frame.
_base_ = './motion_finetune.py'

encoder_overrides = dict(num_frames=1, tubelet_size=1)
default_hooks = dict(results=dict(dataset='synthetic_motion_single_frame'))
