# Masked pretraining on generated clips: tokens and the pooled vector of a clip teacher, the small encoder trained on
# appearance and motion. `python tools/make_small.py` trains the teacher, or set it with
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
# Four minutes on one CPU core.
max_iters = 1300
