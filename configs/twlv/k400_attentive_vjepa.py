# Like k400_attentive.py, with V-JEPA's own recipe (its published config), to compare with its papers: one probe input
# has the tokens of 8 clips of 64 frames; RandAugment, random erasing, weight decay 0.01, gradient clipping.
_base_ = './k400_attentive.py'

clips = dict(type='twlv_mm.SampleClips', num_frames=_base_.frames, frame_interval=_base_.interval, num_clips=8)
train_pipeline = [_base_.open_video, clips, _base_.decode, *_base_.vjepa_augmentation, _base_.pack_clips]
test_pipeline = [_base_.open_video, dict(clips, test_mode=True), *_base_.three_views, _base_.pack_clips]
batch_size = min(4, 256 // _base_.gpus)  # per GPU; each video has several clips
model = dict(cls_head=dict(across_clips=True))
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
optim_wrapper = dict(
    optimizer=dict(weight_decay=0.01),
    clip_grad=dict(max_norm=1.0),
    accumulative_counts=max(1, 256 // (batch_size * _base_.gpus)),
)
default_hooks = dict(results=dict(protocol=dict(recipe='V-JEPA')))
