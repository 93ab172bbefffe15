# What a single frame tells about motion, which is to be nothing: the small encoder on each clip's middle frame.
_base_ = './motion_finetune.py'

model = dict(backbone=dict(num_frames=1, tubelet_size=1))
frames = [
    dict(type='twlv_mm.OpenVideo'),
    dict(type='twlv_mm.EmbeddingSample', num_frames=1, sampling='uniform'),
    dict(type='twlv_mm.DecodeVideo'),
    dict(type='twlv_mm.ResizeCrop', size=32, resize='squash'),
]
pipeline = [
    dict(type='twlv_mm.CachedFrames', transforms=frames),
    dict(type='FormatShape', input_format='NCTHW'),
    dict(type='PackActionInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
default_hooks = dict(results=dict(dataset='synthetic_motion_single_frame', protocol=dict(frames=1, clips=1, crops=1)))
