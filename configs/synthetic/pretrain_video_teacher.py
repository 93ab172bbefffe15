# Masked pretraining on generated clips: tokens and the pooled vector of a teacher of clips, the small encoder that was
# trained on appearance and motion. Made by `python tools/make_small.py`, or given with
# --cfg-options model.teachers.video.weights=PATH
_base_ = './pretrain_pixels.py'

model = dict(
    teachers=dict(video=dict(source='twlv_small_synthetic', weights='work_dirs/small/encoder.pth')),
    targets=dict(
        _delete_=True,
        tokens=dict(type='twlv_mm.TeacherTokens', teacher='video'),
        clip=dict(type='twlv_mm.TeacherClip', teacher='video'),
    ),
)
# Four minutes of a CPU core.
train_cfg = dict(max_iters=1300)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=50, T_max=1250, eta_min=0, by_epoch=False),
]
